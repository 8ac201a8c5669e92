/* A picture from the click to the end, in a browser: who is asked, told as it
 * happens, errors and a retry, cancelling, the queue over reloads, one's own
 * pictures; wide in the light, and narrow in the dark. */

import { launch, live, open, serious } from './browser.mjs';
import { ask, is, ok, run, until } from './report.mjs';

const [address, shots] = process.argv.slice(2);
const browser = await launch();

function both(groq, stability = groq) {
  return Promise.all([
    ask('sandbox', { name: 'groq', settings: groq }),
    ask('sandbox', { name: 'stability', settings: stability })]);
}

async function make({ page }, prompt) {
  await page.fill('#prompt', prompt);
  await page.click('button[type=submit]');
}

const shown = ({ page }) => page.waitForFunction(() => {
  const img = document.querySelector('[data-phase=done] img');
  return img?.complete && img.naturalWidth > 0;
}, undefined, { timeout: 60_000 });

const attempt = ({ page }, outcome) => (
  page.locator(`[aria-label="Who was asked"] li[data-outcome=${outcome}]`));

/* For people and for axe; all of it has to be within the page. */
async function look({ name, page }, what) {
  is(await page.evaluate(() => (
    document.documentElement.scrollWidth > window.innerWidth)), false,
     `${name}, ${what}: nothing sticks out`);
  is(await page.evaluate(() => [...document.querySelectorAll('[data-phase]')]
    .filter((frame) => frame.scrollHeight > frame.clientHeight + 1).length), 0,
     `${name}, ${what}: nothing is cut off`);
  is(await serious(page), [], `${name}, ${what}: axe finds nothing serious`);
  if (shots) {
    await page.screenshot({ path: `${shots}/create-${name}-${what}.png` });
  }
}

const seat = async (name, options) => ({
  name, ...await open(browser, { reducedMotion: 'reduce', ...options }),
});

/* Where it stands on the page, wherever that is scrolled to. */
async function place(page, selector) {
  await page.waitForSelector(selector);
  return page.$eval(selector, (element) => {
    const { x, y } = element.getBoundingClientRect();
    return [x + window.scrollX, y + window.scrollY].map(Math.round);
  });
}

/* The way to the picture, as one visitor sees it. */
async function way(who, ratio) {
  const { page } = who;
  await page.goto(address);

  // Feedback at once; one that fails is told of while the other is at it.
  await both({ mode: 'status', status: 500, latencyMs: 40 }, { mode: 'hang' });
  const { aborted } = await ask('counters', 'stability');
  await page.getByText('japandi').click();
  await page.selectOption('#room', 'study');
  await make(who, 'a desk by the window');
  await page.waitForSelector('[data-phase=asking]');
  ok(await page.getByText('a desk by the window, high quality, professional '
    + 'photography, 8k resolution, japandi style, study interior').isVisible(),
     'the enhanced prompt is shown at once');
  const frame = await page.locator('[data-phase=asking]').boundingBox();
  ok(Math.abs(frame.width / frame.height - ratio) < 0.02,
     "in the picture's ratio", frame);
  await attempt(who, 'transient').waitFor();
  is(await attempt(who, 'transient').locator('b').innerText(), 'Groq',
     'one that has failed is shown');
  ok(/failed.*\d+ ms/s.test(await attempt(who, 'transient').innerText()),
     'with how, and after what time');
  ok(/stability ai.*is working on it/is.test(await attempt(who, 'running').innerText()),
     'while the other one works');
  await look(who, 'asking');

  // Cancelling reaches the one that works at it.
  const cancel = page.getByRole('button', { name: 'Cancel' });
  await cancel.focus();
  await page.keyboard.press('Enter');
  is(await ask('wait', ['stability', `aborted>=${aborted + 1}`]), 1,
     'a cancel reaches the provider');
  await page.waitForSelector('[data-phase=idle]');
  is([await page.inputValue('#prompt'), await page.getByText('Begin with').count()],
     ['a desk by the window', 0], 'and leaves the words, with nothing in their stead');
  is(await page.evaluate(() => document.activeElement.getAttribute('aria-label')),
     'The picture', 'and the focus where it was');

  // Errors in words, with who was asked, and a retry.
  await both({ mode: 'moderated' });
  await make(who, 'something bad');
  await page.waitForSelector('[role=alert]:has-text("These words were refused")');
  is(await attempt(who, 'moderated').count(), 2, 'who refused is told');
  await look(who, 'refused');
  is(await page.getByText('Try again').count(), 0,
     'the same words are not to be tried again');
  await page.getByRole('button', { name: 'Change the words' }).click();
  is(await page.evaluate(() => [document.activeElement.id, String(getSelection())]),
     ['prompt', 'something bad'], 'but to be changed');
  const { y } = await page.locator('#prompt').boundingBox();
  const header = await page.locator('header').boundingBox();
  ok(y >= header.y + header.height, 'where one sees them', [y, header]);

  await both({ mode: 'status', status: 400 });
  await make(who, 'a room that nobody makes');
  await page.waitForSelector('[role=alert]:has-text("No service takes our requests")');
  await look(who, 'rejected');
  await ask('quiet');
  await both({ latencyMs: 10_000 });      // the frame is looked at meanwhile
  await page.getByText('Try again').click();
  const before = await place(page, '[data-phase=asking]');
  await shown(who);
  ok(true, 'a retry brings the picture');
  is(await place(page, '[data-phase=done]'), before,
     'in the place that was kept');
  await page.click('summary:has-text("asked")');
  is(await page.locator('[aria-label="Who was asked"] li').count(), 2,
     'who was asked is told');
  await look(who, 'done');
}

await run(async () => {
  const wide = await seat('wide');
  const narrow = await seat('narrow', {
    viewport: { width: 360, height: 780 }, colorScheme: 'dark', isMobile: true,
    hasTouch: true,
  });
  await way(wide, 3 / 2);
  await way(narrow, 3 / 2);

  // With a network that is going, without one, and with it again.
  const alone = await seat('alone');
  // What pages load later, by names with dots, never comes.
  await alone.page.route(/\/chunks\/\d+\.[^/]+\.js$/, (route) => route.abort());
  await alone.page.goto(address);
  await alone.page.waitForLoadState('networkidle');
  await alone.context.setOffline(true);
  await make(alone, 'a room without a network');
  await alone.page.waitForSelector('[role=alert]:has-text("No connection")');
  ok(true, 'a network that is gone is told in words');
  await alone.context.setOffline(false);
  await alone.page.getByText('Try again').click();
  await shown(alone);
  ok(true, 'and a retry brings the picture');

  // The queue: the place, and the time that goes down by itself.
  await both({ mode: 'rate_limit', variant: 'seconds', retryAfter: 20 });
  const told = wide.page.locator('[data-sonner-toast]')
    .filter({ hasText: 'Request queued' }).filter({ hasText: 'Position: 1' })
    .waitFor();
  await make(wide, 'a room that waits');
  await wide.page.waitForSelector('[data-testid=position]');
  is(await wide.page.getByTestId('position').innerText(), '1',
     'the place in the queue is shown');
  await told;
  ok(true, 'and told');
  const seconds = async () => (
    Number(/\d+/.exec(await wide.page.getByTestId('eta').innerText())?.[0]));
  const first = await seconds();
  const last = await until('the time goes down', async () => {
    const now = await seconds();
    return now < first ? now : 0;
  });
  ok(last > 0, 'in seconds', [first, last]);
  await look(wide, 'queued');

  await make(narrow, 'a second room');
  await narrow.page.waitForSelector('[data-testid=position]');
  is(await narrow.page.getByTestId('position').innerText(), '2',
     "somebody else's is behind it");
  await look(narrow, 'queued');

  // It is gone again when it is cancelled.
  const deleted = narrow.page.waitForRequest((request) => (
    request.method() === 'DELETE'));
  await narrow.page.getByRole('button', { name: 'Cancel' }).click();
  ok(/\/generate\/[\da-f]{32}$/.test((await deleted).url()),
     'a cancel is told to the server');
  await until('which takes it out of the queue', async () => (
    (await ask('sql', `SELECT count(*) FROM atelier.generation
                       WHERE status = 'queued'`))[0] === '1'));

  // A page that is left has it among one's own pictures; both arrive by
  // themselves, over a reload of nginx.
  await make(narrow, 'a third room');
  await narrow.page.waitForSelector('[data-testid=position]');
  await narrow.page.reload();
  await narrow.page.goto(`${address}/pictures`);
  const tile = narrow.page.locator('main li').first();
  await until('a page that was left has it among the pictures', async () => (
    /^2\s+in the queue.*a third room$/s.test(await tile.innerText())));
  await look(narrow, 'waiting');
  await tile.locator('button').click();
  await narrow.page.getByRole('dialog', { name: 'a third room' })
    .getByText('in the queue').waitFor();
  await look(narrow, 'waiting-opened');
  await narrow.page.keyboard.press('Escape');

  // What failed says so, and can be taken away.
  const refused = narrow.page.locator('main li', { hasText: 'These words were refused' });
  is(await refused.count(), 1, 'so is one that was refused');
  await refused.locator('button').click();
  await narrow.page.locator('dialog[open]')
    .getByText('Please use other words').waitFor();
  await look(narrow, 'refused-opened');
  await narrow.page.getByRole('button', { name: 'Remove' }).click();
  await until('which can be removed', async () => await refused.count() === 0);
  await until('... and leaves the focus at the top', () => (
    narrow.page.evaluate(() => document.activeElement.tagName === 'H1')));
  await live(narrow.page).waitFor();
  await ask('quiet');
  await ask('reload');
  await ask('queue');
  await tile.locator('img').waitFor({ timeout: 60_000 });
  ok((await tile.innerText()).includes('a third room'),
     'over a reload of nginx the picture comes by itself');
  await shown(wide);
  ok(true, 'as does the one that was waited for');

  // One's own, and a link to one.
  await wide.page.getByRole('link', { name: 'Pictures' }).click();
  await wide.page.waitForSelector('h1:has-text("Your pictures")');
  await until('they are listed, the newest first', async () => (
    await wide.page.locator('main li').first().innerText()
  ).includes('a room that waits'));
  const box = await wide.page.locator('main li img').first().boundingBox();
  ok(Math.abs(box.width / box.height - 3 / 2) < 0.02, 'as tiles of one shape', box);
  for (const who of [wide, narrow]) {
    await who.page.locator('main li button').first().click();
    await who.page.waitForSelector('dialog[open] img');
    await look(who, 'opened');
  }
  const link = wide.page.url();
  ok(link.includes('?picture='), 'an open one has a link', link);
  await wide.page.goBack();
  await until('back closes it', async () => (
    await wide.page.locator('dialog').count() === 0));
  const fresh = await seat('fresh');
  await fresh.page.goto(link);
  await fresh.page.waitForSelector('dialog[open] img');
  ok(await fresh.page.getByRole('dialog', { name: 'a room that waits' })
    .isVisible(), 'the link opens it for others');

  // More than a page of them.
  await ask('sql', `INSERT INTO atelier.generation
      (id, visitor, request, request_hash, status, result, ended_at)
    SELECT md5(i::text), visitor, request, request_hash, status,
           (result::jsonb || jsonb_build_object('id', md5(i::text)))::json,
           ended_at
    FROM atelier.generation, generate_series(1, 100) i
    WHERE id = '${new URL(link).searchParams.get('picture')}'`);
  await wide.page.reload();
  const tiles = wide.page.locator('main li button');
  await until('a hundred are shown', async () => await tiles.count() === 100);
  await wide.page.getByRole('button', { name: 'Show more' }).click();
  await wide.page.getByRole('button', { name: 'a room that nobody makes' })
    .waitFor();
  ok(await tiles.count() > 100, 'and on demand, all others');
  is(await wide.page.getByText('Show more').count(), 0, '... of which there are no more');

  for (const { name, said } of [wide, narrow, alone, fresh]) {
    is(said.filter((text) => !/net::ERR_(INTERNET|FAILED)/.test(text)), [],
       `${name}: nothing in the console`);
  }
});
