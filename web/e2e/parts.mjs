/* Parts of the pages whose scripts do not come: the rest stays, and they can be
 * had again. */

import { launch, live, open } from './browser.mjs';
import { is, ok, run, until } from './report.mjs';

const [address] = process.argv.slice(2);
const browser = await launch();

const cards = 'article[data-id]';
const missing = 'This part of the page did not come';
const gone = (route) => route.abort('internetdisconnected');
const renewed = (route) => route.fulfill({ status: 404, body: 'Not found' });

/* The scripts of a page's HTML, and those that come later, by what is in them. */
async function scriptWith(page, path, words) {
  const seen = new Set();
  const note = (request) => {
    if (/\/_next\/static\/chunks\/.*\.js$/.test(request.url())) {
      seen.add(request.url());
    }
  };
  page.on('request', note);
  await page.goto(address + path);
  await page.locator(`${cards} > a`).first().click();
  await page.waitForSelector('dialog[open] h2');
  page.off('request', note);
  for (const url of seen) {
    if (words.test(await (await fetch(url)).text())) {
      return url;
    }
  }
  return ok(false, `a script has ${words}`, [...seen]);
}

/* Nothing else is in the console than that it did not come. */
function quiet(said, name) {
  is(said.filter((text) => !/ERR_|status of 404|MIME type/.test(text)), [], name);
}

async function header(page, name) {
  ok(await page.getByRole('navigation', { name: 'Pages' }).isVisible(), name);
}

async function wall(url) {
  const { context, page, said } = await open(browser);
  await page.route(url, gone);
  await page.goto(`${address}/feed?query=sofa`);
  await page.getByText(missing).waitFor();
  await header(page, 'a wall that does not come leaves the header');
  ok(await page.getByRole('searchbox').isVisible(), '... and the search');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('button', { name: 'Try again' }).waitFor();
  await page.unroute(url);
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.waitForSelector(cards);
  is(await page.getByText(missing).count(), 0, '... and is had by trying again');
  quiet(said, '... without a fault');
  await context.close();
}

async function byItself(url) {
  const { context, page } = await open(browser);
  await page.route(url, gone);
  await page.goto(`${address}/feed?query=sofa`);
  await page.getByText(missing).waitFor();
  await page.unroute(url);
  await page.evaluate(() => { window.dispatchEvent(new Event('online')); });
  await page.waitForSelector(cards);
  ok(true, 'or when the browser is online again');
  await context.close();
}

async function dialog(url) {
  const { context, page, said } = await open(browser);
  await page.route(url, gone);
  await page.goto(`${address}/feed?query=sofa`);
  await page.locator(`${cards} > a`).first().click();
  const note = page.locator('dialog[open]').getByText(missing);
  await note.waitFor();
  await header(page, 'a dialog that does not come leaves the page');
  ok(await page.locator(cards).count() > 3, '... with its cards');
  await page.keyboard.press('Escape');
  await until('... can be closed', async () => (
    await page.locator('dialog').count() === 0 && !page.url().includes('design=')));
  await page.locator(`${cards} > a`).first().click();
  await note.waitFor();
  await page.unroute(url);
  await page.locator('dialog').getByRole('button', { name: 'Try again' }).click();
  await page.locator('dialog[open] img').first().waitFor();
  is(await page.locator('dialog').count(), 1, '... and is had by trying again');
  quiet(said, '... without a fault');
  await context.close();
}

/* Of pages from before a new version. */
async function old(url) {
  const { context, page } = await open(browser);
  await page.route(url, renewed);
  await page.goto(`${address}/feed?query=sofa`);
  await page.locator(`${cards} > a`).first().click();
  await page.locator('dialog[open]').getByText(missing).waitFor();
  await page.unroute(url);
  await page.getByRole('button', { name: 'Reload the page' }).click();
  await page.locator('dialog[open] img').first().waitFor();
  ok(page.url().includes('design='), 'what is not there any more is had by a reload');
  await context.close();
}

/* Whichever script comes last, the page that came is the one that is shown. */
async function last() {
  const html = await (await fetch(`${address}/feed`)).text();
  const scripts = [...new Set([...html.matchAll(/<script src="([^"]+)"/g)]
    .map(([, path]) => path))].filter((path) => !path.includes('polyfills'));
  ok(scripts.length > 3, 'the page has scripts', scripts);
  for (const path of scripts) {
    const { context, page, said } = await open(browser);
    const had = new Set();
    page.on('requestfinished', (request) => { had.add(new URL(request.url()).pathname); });
    await page.route(`**${path}`, async (route) => {
      await until('the others are there', () => (
        scripts.every((one) => one === path || had.has(one))));
      await page.evaluate(() => new Promise((resolve) => {
        requestAnimationFrame(() => { requestAnimationFrame(resolve); });
      }));
      await route.continue();
    });
    await page.goto(`${address}/feed?query=sofa`);
    await page.waitForSelector(cards);
    is(said, [], `${path.split('/').at(-1).split('-')[0]} may be the last`);
    await context.close();
  }
}

/* A page's own script. */
async function whole() {
  const { context, page } = await open(browser);
  const script = /\/app\/shop\/page-.*\.js$/;
  await page.route(script, gone);
  await page.goto(address);
  await live(page).waitFor();     // else it were a link to another document
  await page.getByRole('link', { name: 'Shop' }).click();
  await page.getByText(missing).waitFor();
  await header(page, 'a page that does not come leaves the header');
  await page.getByRole('link', { name: 'Create' }).click();
  await page.waitForSelector('#prompt');
  ok(true, '... whose links work');
  await page.getByRole('link', { name: 'Shop' }).click();
  await page.getByText(missing).waitFor();
  await page.unroute(script);
  await page.getByRole('button', { name: 'Reload the page' }).click();
  await page.getByRole('searchbox').waitFor();
  ok(page.url().endsWith('/shop'), '... and a reload brings it');
  await context.close();
}

await run(async () => {
  const { context, page } = await open(browser);
  const path = '/feed?query=sofa';
  const wallScript = await scriptWith(page, path, /role:"feed"/);
  const dialogScript = await scriptWith(page, path, /See it on/);
  await context.close();
  await wall(wallScript);
  await byItself(wallScript);
  await dialog(dialogScript);
  await old(dialogScript);
  await last();
  await whole();
});
