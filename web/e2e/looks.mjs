/* Every page at two widths, in the light and in the dark: axe, the policy,
 * shifts, what is loaded first, and text that would be HTML. */

import { gzipSync } from 'node:zlib';
import { launch, open, serious } from './browser.mjs';
import { is, ok, run, until } from './report.mjs';

const [address, shots] = process.argv.slice(2);
const browser = await launch();

const pages = [
  ['/', '#prompt'], ['/feed?query=sofa', 'article[data-id]'],
  ['/shop', 'h1, h2'], ['/pictures', 'h1'], ['/likes', 'h1'],
  ['/status', 'dl'], ['/nowhere', 'h2'],
];

/* Kilobytes of script that a page names in its HTML, as they travel. */
async function firstLoad(path) {
  const html = await (await fetch(address + path)).text();
  let bytes = 0;
  for (const [tag, src] of html.matchAll(/<script[^>]*\ssrc="([^"]+)"[^>]*>/g)) {
    if (!/nomodule/i.test(tag)) {
      const body = await (await fetch(new URL(src, address))).arrayBuffer();
      bytes += gzipSync(Buffer.from(body)).length;
    }
  }
  return bytes / 1000;
}

async function look(path, selector, width, colorScheme) {
  const name = `${path} at ${width}, ${colorScheme}`;
  const { context, page, said } = await open(browser, {
    viewport: { width, height: width < 600 ? 780 : 900 }, colorScheme,
    isMobile: width < 600, hasTouch: width < 600, reducedMotion: 'reduce',
  });
  await page.addInitScript(() => {
    window.shifted = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        window.shifted += entry.hadRecentInput ? 0 : entry.value;
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
  await page.goto(address + path, { waitUntil: 'load' });
  await page.locator(selector).first().waitFor();
  await page.waitForLoadState('networkidle', { timeout: 30_000 })
    .catch(() => {});
  await page.evaluate(() => document.fonts.ready);
  is(await page.evaluate(() => (
    document.documentElement.scrollWidth > window.innerWidth)), false,
     `${name}: nothing sticks out`);
  const shifted = await page.evaluate(() => window.shifted);
  ok(shifted <= 0.02, `${name}: nothing shifts`, shifted);
  is(await serious(page), [], `${name}: axe finds nothing serious`);
  // A page or a service that is not there is told of by the console itself.
  is(said.filter((text) => !/status of 404/.test(text)), [],
     `${name}: nothing in the console`);
  if (shots) {
    const file = `${path.replace(/\W+/g, '-')}-${width}-${colorScheme}.png`;
    await page.screenshot({ path: `${shots}/${file}` });
  }
  await context.close();
}

/* What opens above a page. */
async function dialogs() {
  const { context, page } = await open(browser, { reducedMotion: 'reduce' });
  await page.goto(`${address}/feed?query=sofa`);
  await page.locator('article[data-id] > a').first().click();
  await page.locator('dialog[open] img').first().waitFor();
  is(await serious(page, 'dialog[open]'), [], 'a design: axe finds nothing serious');

  const made = await context.request.post(`${address}/generate`,
                                          { data: { prompt: 'a room' } });
  is(made.status(), 200, 'a picture is made');
  await until('it is on the list', async () => {
    const listed = await context.request.get(`${address}/generate`);
    return (await listed.json()).results.length > 0;
  });
  await page.goto(`${address}/pictures`);
  await page.locator('main li button').first().click();
  await page.locator('dialog[open] img').first().waitFor();
  is(await serious(page, 'dialog[open]'), [], 'a picture: axe finds nothing serious');
  is(await page.locator('dialog[open]').getByText('Download').evaluate((element) => (
    getComputedStyle(element).scrollMarginTop)), '20px',
     '... and no bars are where it scrolls');
  await page.keyboard.press('Escape');

  // Stopped while it opens.
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`dialog {
      animation-duration: 10s !important; animation-delay: -2s !important;
      animation-play-state: paused !important; }`);
    document.adoptedStyleSheets.push(sheet);
  });
  await page.locator('main li button').first().click();
  // They are there for a moment only.
  const seen = page.waitForFunction(() => {
    const dialog = document.querySelector('dialog[open]');
    const toasts = dialog?.querySelector('[data-sonner-toaster]');
    return toasts && [
      dialog.getAnimations().length,
      window.innerHeight - toasts.getBoundingClientRect().bottom];
  });
  await page.getByRole('button', { name: 'Copy link' }).click();
  const [moving, below] = await (await seen).jsonValue();
  is(moving, 1, 'while a dialog opens');
  is(below, 28, '... toasts are where they always are');
  await context.close();
}

/* What the server consists of: a row that may go on. */
async function parts() {
  for (const [width, fade] of [[1440, '0px'], [360, '56px']]) {
    const { context, page } = await open(browser, {
      viewport: { width, height: 780 }, reducedMotion: 'reduce',
    });
    await page.goto(`${address}/status`);
    const row = page.locator('dl').first();
    await row.getByText('PostgreSQL').waitFor({ state: 'attached' });
    is(await row.locator('dt').first().innerText(), 'nginx',
       `status at ${width}: names as people write them`);
    const fades = (wanted) => until(`... the row fades by ${wanted}`, () => (
      row.evaluate((element, value) => (
        getComputedStyle(element).getPropertyValue('--fade') === value), wanted)));
    await fades(fade);
    await row.evaluate((element) => { element.scrollLeft = element.scrollWidth; });
    await fades('0px');
    if (shots) {
      await page.screenshot({ path: `${shots}/parts-${width}.png` });
    }
    await context.close();
  }
}

/* Past the header, from further down. */
async function skip(width) {
  const { context, page } = await open(browser, {
    viewport: { width, height: 800 }, reducedMotion: 'reduce',
  });
  await page.goto(`${address}/feed?query=sofa`);
  await page.locator('article[data-id]').first().waitFor();
  await until(`at ${width}: it is scrolled`, () => page.evaluate(() => {
    window.scrollTo(0, 1500);
    return window.scrollY === 1500;
  }));
  await page.getByRole('link', { name: 'Skip to the content' }).focus();
  is(await page.evaluate(() => window.scrollY), 1500,
     '... and stays while the header has the focus');
  await page.keyboard.press('Enter');
  await until('the content is skipped to, from its beginning', () => (
    page.evaluate(() => {
      const { top, bottom } = document.querySelector('h1').getBoundingClientRect();
      const header = document.querySelector('header').getBoundingClientRect();
      return document.activeElement.id === 'content'
        && top >= header.bottom && bottom < window.innerHeight;
    })));
  await context.close();
}

await run(async () => {
  for (const path of ['/', '/feed', '/shop', '/pictures', '/likes', '/status']) {
    const kilobytes = await firstLoad(path);
    ok(kilobytes <= 150, `${path}: ${kilobytes.toFixed(1)} kB of script first`);
  }

  for (const [path, selector] of pages) {
    await look(path, selector, 1440, 'light');
    await look(path, selector, 360, 'dark');
  }
  await look('/', '#prompt', 1440, 'dark');
  await look('/feed?query=sofa', 'article[data-id]', 1440, 'dark');

  await dialogs();
  await parts();
  await skip(1440);
  await skip(360);

  // The policy: a script that somebody slips in does not run.
  const { page } = await open(browser);
  const response = await page.goto(address);
  const policy = response.headers()['content-security-policy'];
  ok(policy && !/unsafe|https?:(?!\/\/)|\*(?!\.)/
    .test(policy.replace('http://127.0.0.1:* http://*.localhost:*', '')),
     'the policy has nothing unsafe', policy);
  await page.waitForSelector('#prompt');
  await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.slipped = true';
    document.body.append(script);
    const link = document.createElement('a');
    link.setAttribute('onclick', 'window.slipped = true');
    document.body.append(link);
    link.click();
  });
  is(await page.evaluate(() => window.slipped), undefined,
     'and no script but its own runs');

  // Text of a source is text.
  const evil = '<img src=x onerror="window.slipped=1"><b>bold</b>';
  const hostile = await open(browser);
  await hostile.page.route('**/designs?**', (route) => route.fulfill({
    json: {
      query: '', snapshot: null, page: 1, perPage: 60, hasNext: false,
      next: null, providers: {},
      results: [{
        id: 'flickr:1', source: 'flickr', title: evil, url: 'javascript:alert(1)',
        thumb: 'javascript:alert(1)', width: 400, height: 300, color: evil,
        blurhash: evil, author: evil, authorUrl: 'javascript:window.slipped=1',
        pageUrl: 'data:text/html,x', license: evil, attribution: evil, score: 1,
        likes: 0,
      }],
    },
  }));
  await hostile.page.goto(`${address}/feed`);
  const card = hostile.page.locator('article[data-id]');
  await card.waitFor();
  ok((await card.innerText()).includes('<b>bold</b>'), 'hostile text is shown');
  is(await card.locator('b, a[href^="javascript:"], a[href^="data:"]').count(),
     0, 'and is neither HTML nor a link');
  await card.locator('> a').click();
  await hostile.page.waitForSelector('dialog[open]');
  is(await hostile.page.evaluate(() => window.slipped), undefined,
     'nor does it run');

  // What the browser says of the first paint is for people to read.
  const paint = await open(browser);
  await paint.page.addInitScript(() => {
    new PerformanceObserver((list) => {
      window.lcp = list.getEntries().at(-1).startTime;
    }).observe({ type: 'largest-contentful-paint', buffered: true });
  });
  for (const path of ['/', '/feed?query=sofa']) {
    await paint.page.goto(address + path);
    const lcp = await until(`${path} is painted`, () => (
      paint.page.evaluate(() => window.lcp)));
    process.stdout.write(`LCP of ${path}: ${Math.round(lcp)} ms\n`);
  }
});
