/* The page's one socket, as people are told of it: on every page, over a reload
 * of nginx, offline and back, given up after ten tries, and taken up again;
 * and while Redis is away. */

import { launch, live, open } from './browser.mjs';
import { ask, is, ok, run, until } from './report.mjs';

const [address, shots] = process.argv.slice(2);
const browser = await launch();
const LONG = 60_000;

const status = (page) => page.locator('header [data-status]');
const state = (page) => status(page).getAttribute('data-status');
const price = (page) => page.locator('article[data-id="ikea:1"]')
  .getByTestId('price').textContent();

/* As any program may change it. */
function cost(rupees) {
  return ask('sql', `UPDATE atelier.product SET price = ${rupees}00
                     WHERE id = 'ikea:1'`);
}

/* The dot's colour, and its contrast with what is behind it. */
function dot(page) {
  return status(page).locator('[aria-hidden]').first().evaluate(async (element) => {
    // On its way from one colour to the next it has neither.
    await Promise.all(element.getAnimations()
      .filter((one) => one instanceof CSSTransition).map((one) => one.finished));
    const numbers = (text) => text.match(/[\d.]+/g).slice(0, 3).map(Number);
    const light = (rgb) => {
      const [r, g, b] = rgb.map((c) => c / 255).map((c) => (
        c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const rgb = numbers(getComputedStyle(element).backgroundColor);
    const [a, b] = [light(rgb), light(numbers(
      getComputedStyle(document.body).backgroundColor))].sort((x, y) => y - x);
    return { rgb, contrast: (a + 0.05) / (b + 0.05) };
  });
}

async function everywhere() {
  for (const [path, colorScheme] of [
    ['/', 'light'], ['/feed', 'dark'], ['/pictures', 'light'],
    ['/likes', 'light'], ['/status', 'light'], ['/nowhere', 'light']]) {
    const { context, page } = await open(browser, { colorScheme });
    await page.goto(address + path);
    await live(page).waitFor({ timeout: LONG });
    const { rgb: [r, g, b], contrast } = await dot(page);
    ok(g > r && g > b && contrast >= 3, `${path} is live, in green`,
       [r, g, b, contrast]);
    await context.close();
  }
}

async function unnoticed() {
  const { context, page, said } = await open(browser);
  await page.goto(`${address}/shop`);
  await live(page).waitFor({ timeout: LONG });
  await until('a price is shown', async () => await price(page) === '₹15,000', LONG);
  // Its channel is subscribed to when its card has been there for a moment.
  await cost(15001);
  await until('and is live', async () => await price(page) === '₹15,001', LONG);

  await page.evaluate(() => {
    window.heard = [];
    window.seen = [];
    new MutationObserver(() => {
      window.heard.push(document.querySelector('header [role=status]').textContent);
      window.seen.push(document.querySelector('[data-testid=price]').textContent);
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  const sockets = [];
  page.on('websocket', (socket) => { sockets.push(socket); });
  const reload = ask('hup');
  for (let n = 15002; n <= 15006; n++) {
    await cost(n);
  }
  await reload;
  await until('nginx is reloaded, and the page has another socket', () => (
    sockets.length > 0), LONG);
  await cost(15007);
  await until('which has the newest price', async () => (
    await price(page) === '₹15,007'), LONG);
  const { heard, seen } = await page.evaluate(() => (
    { heard: window.heard, seen: window.seen }));
  is(heard.filter((text) => /Reconnecting|lost/.test(text)), [],
     '... and nobody has noticed');
  is([...new Set(seen)], [...seen].filter((one, i) => one !== seen[i - 1]),
     '... nor seen an older price again');

  await context.setOffline(true);
  await cost(15008);
  await context.setOffline(false);
  await until('offline and back: nothing is missed', async () => (
    await price(page) === '₹15,008' && await state(page) === 'open'), LONG);
  is(said.filter((text) => !/WebSocket|ERR_INTERNET_DISCONNECTED/.test(text)), [],
     'nothing in the console');
  await context.close();
}

/* All tries that there are, however long they wait for each other. */
async function giveUp(page, name) {
  await until(name, async () => {
    const now = await state(page);
    if (now === 'waiting') {
      await page.clock.fastForward(1_600_000);
    }
    return now === 'gave-up';
  }, LONG);
}

async function givenUp() {
  const { context, page, said } = await open(browser);
  let tries = 0;
  page.on('websocket', () => { tries++; });
  await page.clock.install();
  await page.goto(`${address}/shop`);
  await live(page).waitFor({ timeout: LONG });
  await until('the price is there', async () => await price(page) === '₹15,008', LONG);
  tries = 0;

  await ask('stop');
  await page.clock.pauseAt(Date.now() + 3_600_000);
  await until('the next try is counted down', async () => {
    await page.clock.runFor(200);
    return /^Reconnecting in \d+ s$/.test(
      await page.locator('header [role=status]').innerText());
  }, LONG);
  const { rgb: [r, g, b] } = await dot(page);
  ok(r > b && g > b, '... in amber', [r, g, b]);
  const seconds = async () => Number((await page.locator('header [role=status]')
    .innerText()).match(/\d+/)?.[0] ?? 0);
  const first = await seconds();
  ok(first >= 1, '... in seconds', first);
  is(...await page.locator('header [role=status]').evaluate((element) => [
    element.querySelector(':scope > [aria-hidden]').innerText,
    element.innerText.replace(/^Reconnecting/, '')]),
     '... which are not read out each time');
  if (shots) {
    await page.screenshot({ path: `${shots}/connection-waiting.png` });
  }

  await giveUp(page, 'it gives up');
  is(tries, 10, '... after ten tries');
  await page.clock.runFor(1000);
  is((await page.locator('header [role=status]').innerText()).split(' · '),
     ['Connection lost', 'Please refresh the page'], '... says so');
  await page.locator('[data-sonner-toast]').filter({ hasText: 'Connection lost' })
    .filter({ hasText: 'Please refresh the page' }).waitFor({ timeout: LONG });
  ok(true, '... and tells');
  const red = await dot(page);
  ok(red.rgb[0] > 2 * red.rgb[1] && red.contrast >= 3, '... in red', red);
  await page.clock.fastForward(7_200_000);
  is(tries, 10, '... for good');
  if (shots) {
    await page.screenshot({ path: `${shots}/connection-lost.png` });
    await page.setViewportSize({ width: 360, height: 780 });
    await page.screenshot({ path: `${shots}/connection-lost-360.png` });
    await page.setViewportSize({ width: 1440, height: 900 });
  }

  await page.evaluate(() => { window.dispatchEvent(new Event('online')); });
  await until('online again: it tries at once', () => tries === 11, LONG);
  await giveUp(page, '... and gives up again');
  is(tries, 21, '... counted anew');

  await ask('start');
  await cost(15009);
  await page.evaluate(() => {
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await until('seen again: it is live', async () => {
    await page.clock.runFor(200);
    return await state(page) === 'open';
  }, LONG);
  await until('and has what it missed', async () => {
    await page.clock.runFor(200);
    return await price(page) === '₹15,009';
  }, LONG);
  await until('the toast is gone', async () => {
    await page.clock.runFor(500);
    return await page.getByText('Please refresh the page').count() === 0;
  }, LONG);
  is(said.filter((text) => !/ERR_CONNECTION|WebSocket connection/.test(text)),
     [], 'nothing else in the console');
  await context.close();
}

/* The socket is open, but nothing comes by it. */
async function paused() {
  const { context, page, said } = await open(browser, {
    viewport: { width: 360, height: 780 }, isMobile: true, hasTouch: true,
  });
  const text = () => page.locator('header [role=status]').textContent();
  await ask('redis', 'kill');
  await page.goto(`${address}/shop`);
  await until('while Redis is away, updates pause', async () => (
    await text() === 'Updates paused'), LONG);
  const { rgb: [r, g, b], contrast } = await dot(page);
  ok(r > b && g > b && contrast >= 3, '... in amber', [r, g, b, contrast]);
  is(await page.evaluate(() => (
    document.documentElement.scrollWidth > window.innerWidth)), false,
     '... and nothing sticks out of a narrow page');
  if (shots) {
    await page.screenshot({ path: `${shots}/connection-paused-360.png` });
  }
  await ask('redis', 'start');
  await live(page).waitFor({ timeout: LONG });
  ok(true, 'it is live again when Redis is');
  await cost(15010);
  await until('and a price arrives', async () => await price(page) === '₹15,010', LONG);
  is(said, [], 'nothing in the console');
  await context.close();
}

await run(async () => {
  await ask('sql', `SELECT count(*) FROM atelier.products_see('[{
    "id": "ikea:1", "title": "A sofa", "url": "https://www.ikea.com/in/p/1",
    "price": 1500000, "currency": "INR", "inStock": true}]')`);
  await everywhere();
  await unnoticed();
  await givenUp();
  await paused();
});
