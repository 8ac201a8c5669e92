/* The shop in a browser: search, filters with counts, prices and stock that
 * change at a shop while one looks, one product with its history. */

import { launch, live, open, serious } from './browser.mjs';
import { ask, is, ok, run, until } from './report.mjs';

const [address, shots] = process.argv.slice(2);
const browser = await launch();
const LONG = 60_000;

const cards = 'article[data-id]';
const looks = { reducedMotion: 'reduce' };
const rupees = (n) => `₹${new Intl.NumberFormat('en-IN').format(n)}`;
const number = (text) => Number(text.replace(/[^\d.]/g, ''));

async function shot(page, name) {
  if (shots) {
    await page.screenshot({ path: `${shots}/shop-${name}.png` });
  }
}

/* "Flipkart 40" of the filters as [["Flipkart", 40], ...] */
function rows(page, group) {
  return page.getByRole('group', { name: group, exact: true }).locator('label')
    .evaluateAll((all) => all.map((one) => [
      one.querySelector('span').innerText,
      Number(one.querySelector('small')?.firstChild.textContent ?? NaN)]));
}

async function total(page) {
  const text = await page.getByRole('status').filter({ hasText: /product/ })
    .innerText();
  return number(text.split('product')[0]);
}

/* Until what is shown is what was asked for. */
async function settled(page, name) {
  await until(name, () => page.evaluate(() => (
    document.querySelector('[aria-busy=false] article[data-id]') !== null)),
              LONG);
}

async function filters(page) {
  await page.goto(`${address}/shop`);
  await page.getByRole('searchbox').fill('Sofa');
  await page.keyboard.press('Enter');
  await page.waitForURL(/query=Sofa/);
  await page.locator(cards).first().waitFor({ timeout: LONG });
  await settled(page, 'a search finds products');
  await until('of every shop', async () => (
    (await rows(page, 'Shop')).length === 6
    && await page.getByText('asking the shops for more').count() === 0), LONG);

  const shops = Object.fromEntries((await rows(page, 'Shop')).slice(1));
  const all = await total(page);
  is(Object.values(shops).reduce((a, b) => a + b), all,
     'the counts of shops are those of what was found');

  await page.getByRole('radio', { name: /^IKEA/ }).check();
  await page.waitForURL(/retailer=ikea/);
  await settled(page, 'a shop can be chosen');
  await until('which is shown alone', async () => (
    await total(page) === shops.IKEA
    && await page.locator(`${cards}:not([data-id^="ikea:"])`).count() === 0),
              LONG);
  is(Object.fromEntries((await rows(page, 'Shop')).slice(1)), shops,
     '... and the others say what they have');

  const prices = (await rows(page, 'Price'));
  is(prices.reduce((sum, [, n]) => sum + n, 0), shops.IKEA,
     'prices are counted by ranges');
  const [[range, within]] = prices;
  await page.getByRole('checkbox', { name: range }).check();
  await page.waitForURL(/minPrice=.*maxPrice=/);
  const [low, high] = range.split('–').map(number);
  await until('a range is shown alone', async () => (
    await total(page) === within), LONG);
  const shown = await page.locator(cards).getByTestId('price').allTextContents();
  ok(shown.map(number).every((n) => n >= low && n < high), '... as it says',
     [range, shown]);

  const fresh = await open(browser, looks);
  await fresh.page.goto(page.url());
  await fresh.page.locator(cards).first().waitFor({ timeout: LONG });
  is([await total(fresh.page), await fresh.page.getByRole('checkbox', { name: range }).isChecked()],
     [within, true], 'an address says it all');
  await fresh.context.close();

  await page.goBack();
  await until('back takes the range away', async () => (
    await total(page) === shops.IKEA), LONG);
  await page.getByRole('checkbox', { name: 'In stock only' }).check();
  await settled(page, 'stock can be asked for');
  await until('what is in stock is as many as is said', async () => {
    const [[, n]] = await rows(page, 'Show');
    return n < shops.IKEA && await total(page) === n;
  }, LONG);
  is(await page.locator(`${cards} [data-stock=false]`).count(), 0,
     '... and nothing else is shown');
  await page.getByRole('button', { name: 'Without In stock' }).click();
  await until('and is taken back by its name', async () => (
    await total(page) === shops.IKEA), LONG);
  return all;
}

/* A card whose price is known, and what is known of it. */
async function pick(page) {
  const id = await page.locator(`${cards}:has([data-stock=true])`).first()
    .getAttribute('data-id');
  const card = page.locator(`article[data-id="${id}"]`);
  await card.scrollIntoViewIfNeeded();
  return { id, card, price: number(await card.getByTestId('price').textContent()) };
}

async function changes(page) {
  const { id, card, price } = await pick(page);
  const at = () => card.locator('time').getAttribute('datetime');
  const before = await at();
  const flash = page.waitForSelector(
    `article[data-id="${id}"] [data-change=up]`, { timeout: LONG });
  const toast = page.getByText(`Price updated: ${rupees(price + 100)}`)
    .waitFor({ timeout: LONG });
  await ask('good', { id, what: { price: price + 100, stock: 5 } });
  await Promise.all([flash, toast]);
  ok(true, 'a price that changes at the shop flashes, and is told');
  is(number(await card.getByTestId('price').textContent()), price + 100,
     '... and shown');
  ok(Date.parse(await at()) > Date.parse(before), '... with its time',
     [before, await at()]);

  await ask('good', { id, what: { price: price + 100, stock: 0 } });
  await card.getByText('Out of stock').waitFor({ timeout: LONG });
  is(await page.getByText('Back in stock!').count(), 0, 'sold out');
  const back = page.getByText('Back in stock!').waitFor({ timeout: LONG });
  await ask('good', { id, what: { price: price + 100, stock: 3 } });
  await back;
  await card.getByText('In stock', { exact: true }).waitFor();
  ok(true, 'and back in stock, which is told');
  return { id, card, price: price + 100 };
}

async function product(page, { id, card, price }) {
  await card.getByRole('link').focus();
  await page.keyboard.press('Enter');
  const dialog = page.locator('dialog[open]');
  await dialog.waitFor();
  ok(page.url().includes(`product=${encodeURIComponent(id)}`),
     'an open one has a link', page.url());
  const link = page.url();

  const chart = dialog.getByRole('img', { name: /^Price over 90 days/ });
  await chart.waitFor({ timeout: LONG });
  const points = () => dialog.locator('ol:not([data-sonner-toaster]) li').allTextContents();
  const dots = async () => (await chart.locator('path').last()
    .getAttribute('d')).split('M').length - 1;
  is((await points()).slice(-2).map((text) => number(text.split(': ')[1])),
     [price - 100, price], 'its history is there, in words');
  is(await dots(), (await points()).length, '... and in points');
  ok((await chart.innerHTML()).includes(`${rupees(price)} now`),
     '... of which the last is now');

  const told = page.waitForFunction((text) => {
    const toast = [...document.querySelectorAll('[data-sonner-toast]')]
      .find((one) => one.textContent.includes(text));
    const { x, y, width, height } = toast?.getBoundingClientRect() ?? {};
    return toast?.contains(document.elementFromPoint(x + width / 2, y + height / 2));
  }, `Price updated: ${rupees(price - 50)}`, { timeout: LONG });
  await ask('good', { id, what: { price: price - 50, stock: 3 } });
  await dialog.locator('[data-change=down]').waitFor({ timeout: LONG });
  await told;
  ok(true, 'a change is told above it');
  await until('a change is seen here, too, and joins the history', async () => (
    number((await points()).at(-1).split(': ')[1]) === price - 50), LONG);

  const seller = dialog.getByRole('link', { name: /^Buy at/ });
  const { productUrl } = await (await fetch(`${address}/products/${id}`)).json();
  is(await seller.getAttribute('href'), productUrl, 'it leads to the seller');
  const rel = (await seller.getAttribute('rel')).split(' ');
  ok(rel.includes('noopener') && rel.includes('noreferrer'),
     '... who learns nothing of us', rel);
  const [shop] = await Promise.all([page.context().waitForEvent('page'),
                                    seller.click()]);
  await shop.waitForURL(productUrl, { timeout: LONG });
  is([shop.url(), await shop.evaluate(() => window.opener)],
     [productUrl, null], '... in a window of its own');
  await shop.close();

  is(await serious(page, 'dialog[open]'), [], 'axe finds nothing serious in it');
  await page.keyboard.press('Escape');
  await until('Escape closes it', async () => (
    await page.locator('dialog').count() === 0));
  await until('and gives the focus back', async () => (
    await page.evaluate(() => (
      document.activeElement.closest('article')?.dataset.id)) === id));
  is(await page.url().includes('product='), false, '... and the address');
  return link;
}

async function look(link, width, colorScheme) {
  const name = `at ${width}, ${colorScheme}`;
  const { context, page, said } = await open(browser, {
    viewport: { width, height: width < 600 ? 780 : 900 }, colorScheme,
    isMobile: width < 600, hasTouch: width < 600, ...looks,
  });
  await page.addInitScript(() => {
    window.shifted = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        window.shifted += entry.hadRecentInput ? 0 : entry.value;
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
  const list = new URL(link);
  list.search = '?query=sofa';
  await page.goto(list.href);
  await page.locator(cards).first().waitFor({ timeout: LONG });
  await page.waitForLoadState('networkidle', { timeout: 30_000 })
    .catch(() => {});
  const shifted = await page.evaluate(() => window.shifted);
  ok(shifted <= 0.02, `nothing shifts ${name}`, shifted);
  is(await page.evaluate(() => (
    document.documentElement.scrollWidth > window.innerWidth)), false,
     `nothing sticks out ${name}`);
  await shot(page, `list-${width}-${colorScheme}`);
  if (width < 600) {
    const button = page.getByRole('button', { name: /^Filters/ });
    await button.click();
    is(await button.getAttribute('aria-expanded'), 'true', 'filters open');
    await shot(page, `filters-${width}-${colorScheme}`);
  }
  is(await serious(page), [], `axe finds nothing serious ${name}`);

  await page.goto(link);
  await page.getByRole('img', { name: /^Price over 90 days/ }).waitFor({ timeout: LONG });
  ok(true, `a link opens one product ${name}`);
  is(await serious(page, 'dialog[open]'), [],
     `axe finds nothing serious in it ${name}`);
  await shot(page, `product-${width}-${colorScheme}`);
  await page.goto(`${address}/shop?query=sofa&minPrice=9000000`);
  await page.getByText('Nothing was found').waitFor({ timeout: LONG });
  await page.getByRole('button', { name: 'Clear the filters' }).click();
  await page.locator(cards).first().waitFor({ timeout: LONG });
  ok(true, `nothing is found, and then all ${name}`);
  is(said, [], `nothing in the console ${name}`);
  await context.close();
}

await run(async () => {
  const { page, said } = await open(browser, looks);

  await filters(page);
  await live(page).waitFor({ timeout: LONG });
  const one = await changes(page);
  const link = await product(page, one);
  is(said, [], 'nothing in the console');

  await look(link, 1440, 'light');
  await look(link, 360, 'dark');
  if (shots) {
    await look(link, 1440, 'dark');
    await look(link, 360, 'light');
  }

  const none = await open(browser, looks);
  await none.page.goto(`${address}/shop?query=sofa&product=ikea:none`);
  await none.page.getByText('This product is not there').waitFor();
  is(await serious(none.page, 'dialog[open]'), [],
     'a product that is not there is told of');
});
