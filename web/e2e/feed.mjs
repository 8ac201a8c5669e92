/* The endless feed in a browser: fifty pages, hearts, the back button, and a
 * server that is reloaded and goes away meanwhile. */

import { launch, open } from './browser.mjs';
import { ask, is, ok, run, until } from './report.mjs';

const [address] = process.argv.slice(2);
const browser = await launch();

const cards = 'article[data-id]';

/*
 * A reload may close kept connections just then, and there may be several;
 * browsers ask again, too.
 */
async function asked(path, options, tries = 5) {
  try {
    const response = await fetch(address + path, options);
    await response.text();
    return response;
  } catch (error) {
    if (tries === 0) {
      throw error;
    }
    return await asked(path, options, tries - 1);
  }
}

/* Somebody else, without a browser. */
async function stranger(method, id) {
  const first = await asked(`/designs/likes?ids=${id}`);
  const cookie = first.headers.get('set-cookie').split(';')[0];
  const response = await asked(`/designs/${id}/like`,
                               { method, headers: { Cookie: cookie } });
  return response.status;
}

await run(async () => {
  const { context, page, said } = await open(browser);
  let asked2 = false;
  page.on('request', (request) => {
    asked2 ||= /\/designs\?.*page=2/.test(request.url());
  });
  await page.goto(`${address}/feed?query=sofa`);
  await page.waitForSelector(cards);

  // Attribution and text on each.
  const card = page.locator(cards).first();
  ok(await card.locator('p a').count() >= 1, 'a card names where it is from');
  await until('its picture is shown', () => (
    card.locator('img').evaluate((img) => img.naturalWidth > 0)));

  // The next page is asked for twenty cards before the end of the first.
  const rendered = () => page.evaluate(() => Math.max(
    ...[...document.querySelectorAll('article[data-id]')]
      .map((one) => +one.ariaPosInSet)));
  let at = await rendered();
  ok(at < 40 && !asked2, 'nobody asks for a second page at first', at);
  await until('it is asked for', async () => {
    if (asked2) {
      return true;
    }
    at = await rendered();
    await page.evaluate(() => new Promise((resolve) => {
      window.scrollBy(0, 60);
      requestAnimationFrame(() => { requestAnimationFrame(resolve); });
    }));
    return false;
  });
  ok(at >= 30 && at < 60, '... before the end of the first is near', at);

  // Fifty pages, of twenty.
  await page.route('**/designs?*perPage=60*', (route) => route.continue({
    url: route.request().url().replace('perPage=60', 'perPage=20'),
  }));
  await page.goto(`${address}/feed?query=sofa`);
  await page.waitForSelector(cards);
  const cdp = await context.newCDPSession(page);
  const fetched = [];
  page.on('request', (request) => {
    if (/\/designs\?/.test(request.url())) {
      fetched.push(request.url());
    }
  });
  const heap = async () => {
    await cdp.send('Performance.enable');
    await cdp.send('HeapProfiler.collectGarbage');
    const { metrics } = await cdp.send('Performance.getMetrics');
    const of = (name) => metrics.find((one) => one.name === name).value;
    return { bytes: of('JSHeapUsedSize'), nodes: of('Nodes') };
  };
  let most = 0;
  let dom = 0;
  let few;
  await until('fifty pages can be scrolled', async () => {
    const look = await page.evaluate(() => {
      const all = [...document.querySelectorAll('article[data-id]')];
      window.texts ??= {};
      for (const one of all) {
        window.texts[one.ariaPosInSet] = one.dataset.id + one.textContent;
      }
      window.scrollBy(0, 3000);
      return [Math.max(...all.map((one) => +one.ariaPosInSet)), all.length,
              new Set(all.map((one) => one.dataset.id)).size];
    });
    most = Math.max(most, look[0]);
    dom = Math.max(dom, look[1]);
    if (!few && most >= 200) {
      few = await heap();
    }
    return look[1] === look[2] && most >= 1000;
  }, 240_000);
  ok(dom < 80, 'and few cards are in the document at a time', dom);
  const all = await heap();
  ok(all.bytes - few.bytes < 4e6, 'eight hundred more take few bytes',
     [few, all]);
  ok(all.nodes < 20_000, 'and leave no elements behind', all);

  // Up to where nothing is kept, and down again: it comes back as it was.
  const twice = () => fetched.length - new Set(fetched).size;
  is(twice(), 0, 'no page was fetched twice');
  for (const y of [2000, 30_000]) {
    await page.evaluate((to) => { window.scrollTo(0, to); }, y);
    const odd = await until(`all cards at ${y} are there`, () => (
      page.evaluate((top) => {
        const cards = [...document.querySelectorAll('[role=feed] article')];
        const shown = cards.filter((one) => {
          const box = one.getBoundingClientRect();
          return box.bottom > 0 && box.top < window.innerHeight;
        });
        return window.scrollY === top && shown.length > 3
          && cards.every((one) => one.dataset.id)
          && [cards.filter((one) => one.ariaPosInSet in window.texts
            && window.texts[one.ariaPosInSet]
              !== one.dataset.id + one.textContent)
            .map((one) => one.ariaPosInSet)];
      }, y)));
    is(odd, [[]], '... with their texts');
  }
  ok(twice() > 0, 'as their pages were fetched again');

  // There and back again.
  await page.locator(`${cards} > a`).nth(8).click();
  await page.waitForSelector('dialog[open]');
  const place = await page.evaluate(() => window.scrollY);
  ok(page.url().includes('design='), 'an open one has a link', page.url());
  await page.goBack();
  await until('back closes it', async () => (
    await page.locator('dialog').count() === 0));
  const near = async () => Math.abs(
    await page.evaluate(() => window.scrollY) - place) < 400;
  await until('the place is the same', near);
  const still = await page.evaluate(() => window.scrollY);
  await page.getByRole('link', { name: 'Create' }).focus();
  is(await page.evaluate(() => window.scrollY), still,
     'and whoever tabs into the header scrolls nothing');
  await page.getByRole('link', { name: 'Create' }).click();
  await page.waitForSelector('#prompt');
  await page.goBack();
  await until('also after another page', near);

  // Hearts.
  // The place may have been found again by the browser, and then by us, which
  // is within two frames.
  await until('the first one is there again', () => page.evaluate(async () => {
    window.scrollTo(0, 0);
    for (let i = 0; i < 3; i++) {
      await new Promise(requestAnimationFrame);
    }
    return window.scrollY === 0
      && document.querySelector('article[data-id][aria-posinset="1"]') !== null;
  }));
  const first = page.locator(`${cards}[aria-posinset="1"]`);
  const id = await first.getAttribute('data-id');
  const button = first.locator('button[aria-pressed]');
  const pressed = () => button.getAttribute('aria-pressed');
  const likes = () => first.getByTestId('likes').innerText();
  // Which is told for a moment only.
  const saved = page.getByText('Changes saved').waitFor();
  await button.click();
  await until('a heart is red at once', async () => await pressed() === 'true');
  await saved;
  is(await likes(), '1', 'and counted');

  is(await stranger('PUT', id), 200, 'somebody else likes it');
  await until('the count is live', async () => await likes() === '2');

  await ask('hup');
  is(await stranger('PUT', id), 200, 'another one, while nginx is reloaded');
  await until('which is not missed', async () => await likes() === '3');
  await until('and the page is live', () => (
    page.getByRole('status').filter({ hasText: /^Live$/ }).isVisible()));

  // A server that fails.
  let refuse;
  const refused = new Promise((resolve) => { refuse = resolve; });
  await page.route('**/like', async (route) => {
    await refused;
    await route.fulfill({
      status: 503, contentType: 'application/problem+json',
      body: '{"status":503,"code":"likes_unavailable","detail":"no"}',
    });
  });
  await button.click();
  await until('a heart is taken away at once',
              async () => await pressed() === 'false');
  refuse();
  // It stays while somebody points at it.
  await page.getByText('Changes reverted').hover();
  is(await pressed(), 'true', 'and given back when the server refuses');
  is(await likes(), '3', '... with its count');
  await page.unroute('**/like');
  await page.getByRole('button', { name: 'Retry' }).click();
  await until('a retry does it', async () => (
    await pressed() === 'false' && await likes() === '2'));

  // Away, and back.
  await ask('stop');
  await page.getByText(/Reconnecting in \d+ s/).waitFor();
  ok(true, 'the next try is counted down');
  await ask('start');
  // It may have come back by itself.
  const live = page.getByRole('status').filter({ hasText: /^Live$/ });
  await page.getByRole('button', { name: 'Try now' }).or(live).click();
  await until('and the page is live again', () => live.isVisible());
  is(await stranger('PUT', id), 200, 'one more likes it');
  await until('which is shown', async () => await likes() === '3');

  await context.setOffline(true);
  await page.evaluate(() => { window.dispatchEvent(new Event('offline')); });
  await context.setOffline(false);
  await page.evaluate(() => { window.dispatchEvent(new Event('online')); });
  is(await stranger('PUT', id), 200, 'and one more after the network was away');
  await until('which is shown as well', async () => await likes() === '4');

  // Filters stand in the address.
  await page.selectOption('select[aria-label=Orientation]', 'portrait');
  await page.waitForSelector(cards).catch(async () => {
    ok(false, 'cards are shown', [page.url(),
                                  await page.locator('main').innerText()]);
  });
  await page.waitForURL(/orientation=portrait/);
  ok(true, 'filters stand in the address');
  const shapes = () => page.evaluate((selector) => (
    [...document.querySelectorAll(`${selector} img`)].map((img) => (
      +img.getAttribute('height') / +img.getAttribute('width')))
  ), cards);
  await until('and only such are shown', async () => {
    const all = await shapes();
    return all.length > 3 && all.every((ratio) => ratio >= 1);
  }) || ok(false, 'shapes', [page.url(), await shapes(),
                             await page.locator('main').innerText()]);
  await page.goBack();
  await until('back takes a filter away', async () => (
    !page.url().includes('orientation')
    && (await shapes()).some((ratio) => ratio < 1)));

  // By the keyboard.
  await page.waitForSelector(cards);
  await page.locator(`${cards} > a`).first().focus();
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog[open]');
  await page.keyboard.press('Escape');
  await until('Enter opens and Escape closes', async () => (
    await page.locator('dialog').count() === 0));

  // From one to the next, though it is not there, and out of the feed.
  const focused = () => page.evaluate(() => {
    const { activeElement } = document;
    const { top, bottom } = activeElement.getBoundingClientRect();
    return [activeElement.tagName, Number(activeElement.ariaPosInSet),
            bottom > 0 && top < window.innerHeight];
  });
  await page.evaluate(() => { window.scrollTo(0, 0); });
  const one = page.locator(`${cards}[aria-posinset="1"]`);
  await one.waitFor();
  await one.focus();
  for (let i = 0; i < 3; i++) {
    await page.keyboard.press('PageDown');
  }
  await page.keyboard.press('PageUp');
  await until('Page Down and Up go by articles', async () => (
    String(await focused()) === 'ARTICLE,3,true'));
  await until('it is scrolled away, and its page with it', () => page.evaluate(() => {
    window.scrollBy(0, 3000);
    return [...document.querySelectorAll('[role=feed] article')]
      .every((article) => Number(article.ariaPosInSet) === 3
        || Number(article.ariaPosInSet) > 400);
  }));
  is((await focused()).slice(0, 2), ['ARTICLE', 3], 'whoever has the focus stays');
  let come;
  const came = new Promise((resolve) => { come = resolve; });
  await page.route('**/designs?*', async (route) => {
    await came;
    await route.fallback();
  });
  await page.keyboard.press('PageDown');
  await until('the next one is fetched from afar', async () => (
    String(await focused()) === 'ARTICLE,4,true'));
  let next = 4;
  await until('and the ones behind it, to one that is on its way', async () => {
    if ((await focused())[1] !== next) {
      return false;
    }
    if (await page.evaluate(() => document.activeElement.ariaBusy === 'true')) {
      return true;
    }
    next++;
    await page.keyboard.press('PageDown');
    return false;
  });
  come();
  await page.locator(`${cards}[aria-posinset="${next}"]`).waitFor();
  is((await focused()).slice(0, 2), ['ARTICLE', next], 'which has it still when it is there');
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog[open]');
  await page.keyboard.press('Escape');
  await until('and opened', async () => (
    await page.locator('dialog').count() === 0));
  await page.locator(`${cards}[aria-posinset="${next}"]`).focus();
  await page.keyboard.press('Control+Home');
  ok(!await page.evaluate(() => (
    document.activeElement.closest('[role=feed]'))), 'Control and Home leave it');

  // A link opens one, whatever feed it is from; so do one's own likes.
  const link = await open(browser);
  const title = await page.locator(`${cards}[data-id="${id}"]`).count()
    ? await page.locator(`${cards}[data-id="${id}"]`).getAttribute('aria-label')
    : (await (await fetch(`${address}/designs/${id}`)).json()).title;
  await link.page.goto(`${address}/feed?query=lamp&design=${id}`);
  await link.page.waitForSelector('dialog[open] h2');
  is(await link.page.locator('dialog[open] h2').innerText(),
     title || 'Untitled', 'a link opens one design');
  await Promise.all([
    link.page.getByText('Changes saved').waitFor(),
    link.page.locator('dialog[open] button[aria-pressed]').click()]);
  await link.page.goto(`${address}/likes`);
  await link.page.locator(`${cards}[data-id="${id}"]`).waitFor();
  ok(true, 'what is liked is on the page of likes');
  await link.page.goto(`${address}/feed?design=flickr:none`);
  await link.page.getByText('There is no design of that id').waitFor();
  ok(true, 'one that is not there is told of');
  is(link.said.filter((text) => !/status of 404/.test(text)), [],
     'nothing else in its console');

  // What a console says by itself while the server is away or fails.
  is(said.filter((text) => !/503|ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_INTERNET_DISCONNECTED|WebSocket connection/
    .test(text)), [], 'nothing else in the console');
});
