/*
 * The server's answers against api/openapi.json, which the front end's types
 * are made from.  Its address is the argument.
 */

import { readFile } from 'node:fs/promises';
import Ajv from 'ajv/dist/2020.js';
import { ask, is, ok, run, until } from './report.mjs';

const [address] = process.argv.slice(2);
const description = JSON.parse(await readFile(
  new URL('../api/openapi.json', import.meta.url), 'utf8'));
const ajv = new Ajv({ strict: false, allErrors: true });
ajv.addSchema(description, 'api');
let cookie = '';

async function call(method, path, body, accept = '*/*') {
  const response = await fetch(address + path, {
    method,
    headers: {
      Accept: accept,
      ...(body ? { 'Content-Type': 'application/json' } : {}),
      ...(cookie ? { Cookie: cookie } : {}),
    },
    body: body ? JSON.stringify(body) : undefined,
  });
  cookie = response.headers.get('set-cookie')?.split(';')[0] ?? cookie;
  return response;
}

function parameter(template, name) {
  return description.paths[template].get.parameters
    .find((one) => one.name === name);
}

/* Every method and path that README.md tells clients of. */
async function told() {
  const readme = await readFile(
    new URL('../../README.md', import.meta.url), 'utf8');
  const http = readme.slice(readme.indexOf('\n## HTTP'),
                            readme.indexOf('\n## For operators'));
  return [...http.matchAll(
    /\b(GET|POST|PUT|DELETE)(?:` and `([A-Z]+))?\s+(\/[a-z/{}.,]+)/g)]
    .flatMap(([, one, other, path]) => [one, ...other ? [other] : []]
      .map((method) => [method.toLowerCase(),
                        path.replace(/\{id\}\.\{.*/, '{file}')
                          .replace(/[.,]$/, '')]));
}

/* The schema that the description has for this answer. */
function schema(method, template, response) {
  const { responses } = description.paths[template][method.toLowerCase()];
  let found = responses[response.status] ?? responses.default;
  let at = `#/paths/${template.replaceAll('/', '~1')}/${method.toLowerCase()}`
    + `/responses/${responses[response.status] ? response.status : 'default'}`;
  if (found?.$ref) {
    at = found.$ref;
    found = description.components.responses[at.split('/').at(-1)];
  }
  const type = response.headers.get('content-type')?.split(';')[0];
  return found?.content?.[type]
    ? `api${at}/content/${type.replaceAll('/', '~1')}/schema` : undefined;
}

async function check(method, template, path, status, body) {
  const response = await call(method, path, body);
  const name = `${method} ${path}: ${status}`;
  is(response.status, status, name);
  if (response.status === 204) {
    return null;
  }
  const json = await response.json();
  const ref = schema(method, template, response);
  if (!ok(ref, `${name}, as described`, response.headers.get('content-type'))) {
    return json;
  }
  const validate = ajv.compile({ $ref: ref });
  ok(validate(json), `${name}, in its form`, [validate.errors, json]);
  return json;
}

/* Each line of a race is as described, and the last one is the answer. */
async function lines() {
  const response = await call('POST', '/generate', { prompt: 'by lines' },
                              'application/x-ndjson');
  const ref = schema('POST', '/generate', response);
  if (!ok(ref?.includes('ndjson'), 'lines, as described', ref)) {
    return;
  }
  const validate = ajv.compile({ $ref: ref });
  const all = (await response.text()).trimEnd().split('\n')
    .map((line) => JSON.parse(line));
  for (const line of all) {
    ok(validate(line), `a line in its form: ${line.type}`,
       [validate.errors, line]);
  }
  is(all.at(-1).body?.status, 'done', 'the last one is the answer');
  // It is on the list a moment later.
  await until('it can be removed', async () => (
    await call('DELETE', `/generate/${all.at(-1).body.id}`)).status === 204);
}

await run(async () => {
  const all = await told();
  ok(all.length >= 20, 'README.md has been read', all);
  is(all.filter(([method, path]) => !description.paths[path]?.[method]), [],
     'what README.md tells of is described');

  await check('GET', '/generate/options', '/generate/options', 200);
  await check('GET', '/health/ready', '/health/ready', 200);

  const page = await check('GET', '/designs',
                           '/designs?query=sofa&perPage=100', 200);
  ok(page.results.length === 100, 'a full page', page.results.length);
  ok(new Set(page.results.map(({ source }) => source)).size >= 6,
     'of nearly all sources');
  await check('GET', '/designs', page.next, 200);
  await check('GET', '/designs', '/designs?page=0', 400);
  const [{ id }] = page.results;
  const one = await check('GET', '/designs/{id}', `/designs/${id}`, 200);
  is(one.id, id, 'a single design');
  await check('GET', '/designs/{id}', '/designs/flickr:none', 404);
  await check('GET', '/designs/{id}', '/designs/none', 400);
  await check('GET', '/designs/likes', `/designs/likes?ids=${id}`, 200);
  await check('PUT', '/designs/{id}/like', `/designs/${id}/like`, 200);
  await check('GET', '/designs/likes', '/designs/likes', 200);
  await check('DELETE', '/designs/{id}/like', `/designs/${id}/like`, 200);
  await check('PUT', '/designs/{id}/like', '/designs/no%20id/like', 400);

  await ask('sql', `SELECT count(*) FROM atelier.products_see('[{
    "id": "ikea:1", "title": "A sofa", "url": "https://www.ikea.com/in/p/1",
    "price": 1500000, "currency": "INR", "inStock": true}]')`);
  const goods = await check('GET', '/products',
    '/products?query=sofa&facets=category,retailer,inStock,verified,price', 200);
  is(goods.facets.price.ranges,
     [{ min: '10000.00', max: '19999.99', count: 1 }], 'with ranges of prices');
  await check('GET', '/products/{id}', '/products/ikea:1', 200);
  const past = await check('GET', '/products/{id}/history',
                           '/products/ikea:1/history?days=7', 200);
  is(past.points.map(({ price }) => price), ['15000.00'], 'with its price');
  await check('GET', '/products/{id}/history', '/products/ikea:1/history?days=0',
              400);
  await check('GET', '/products/{id}/history', '/products/ikea:none/history', 404);
  for (const sort of parameter('/products', 'sort').schema.enum) {
    await check('GET', '/products', `/products?sort=${sort}`, 200);
  }
  await check('GET', '/products', '/products?sort=cheap', 400);
  await check('GET', '/products', '/products?page=0', 400);
  await check('GET', '/products/{id}', '/products/ikea:none', 404);

  const made = await check('POST', '/generate', '/generate', 200,
                           { prompt: 'a room', style: 'japandi', seed: 7 });
  await until('it is kept', async () => (
    await call('GET', `/generate/${made.id}`)).status === 200);
  await check('GET', '/generate/{id}', `/generate/${made.id}`, 200);
  await lines();
  await check('POST', '/generate', '/generate', 400, { prompt: '' });
  await check('GET', '/generate/{id}', `/generate/${'0'.repeat(32)}`, 404);

  for (const name of ['groq', 'stability']) {
    await ask('sandbox', { name, settings: { mode: 'rate_limit', retryAfter: 600 } });
  }
  // The first finds it out.
  const queued = await check('POST', '/generate', '/generate', 202,
                             { prompt: 'another room' });
  is(queued.status, 'queued', 'which is queued');
  await check('GET', '/generate/{id}', `/generate/${queued.id}`, 200);
  const list = await check('GET', '/generate', '/generate', 200);
  is(list.results.map((one) => one.id), [queued.id, made.id],
     "one's own, newest first");
  await check('DELETE', '/generate/{id}', `/generate/${queued.id}`, 204);
  await until('what is cancelled is no longer queued', async () => (
    (await (await call('GET', '/generate')).json()).results
      .every(({ status }) => status !== 'queued')));
});
