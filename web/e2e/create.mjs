/* A picture from the click to the end, in a browser: POST /generate, its
 * errors, the queue, and one's own pictures. */

import { launch, open } from './browser.mjs';
import { ask, is, ok, run, until } from './report.mjs';

const [address] = process.argv.slice(2);
const browser = await launch();

function slow(settings) {
  return Promise.all(['groq', 'stability'].map((name) => (
    ask('sandbox', { name, settings }))));
}

async function make(page, prompt) {
  await page.fill('#prompt', prompt);
  await page.click('button[type=submit]');
}

const shown = (page) => page.waitForFunction(() => {
  const img = document.querySelector('[data-phase=done] img');
  return img?.complete && img.naturalWidth > 0;
});

await run(async () => {
  const { page, said } = await open(browser);
  await page.goto(address);

  // Feedback at once, then the picture.
  await slow({ latencyMs: 700 });
  await page.getByText('japandi').click();
  await page.selectOption('#room', 'study');
  await make(page, 'a desk by the window');
  await page.waitForSelector('[data-phase=asking]');
  ok(await page.getByText('a desk by the window, high quality, professional '
    + 'photography, 8k resolution, japandi style, study interior').isVisible(),
     'the enhanced prompt is shown at once');
  const before = await page.locator('[data-phase=asking]').boundingBox();
  await shown(page);
  ok(true, 'the picture comes');
  const after = await page.locator('[data-phase=done]').boundingBox();
  is([after.x, after.y], [before.x, before.y], 'in the place that was kept');
  await page.click('summary:has-text("asked")');
  is(await page.locator('[aria-label="Who was asked"] li').count(), 2,
     'who was asked is told');

  // In words, and again.
  await slow({ mode: 'moderated' });
  await make(page, 'something bad');
  await page.waitForSelector('[role=alert]:has-text("That did not work")');
  ok((await page.locator('[data-phase=failed] small').innerText()).length > 10,
     'a refusal is told in words');
  await ask('quiet');
  await page.getByText('Try again').click();
  await shown(page);
  ok(true, 'and a retry brings the picture');

  // Cancelling reaches the providers.
  await slow({ mode: 'hang' });
  await make(page, 'a room that takes long');
  await page.waitForSelector('[data-phase=asking]');
  is(await ask('wait', ['groq', 'inFlight>=1']), 1, 'a provider works at it');
  await page.getByRole('button', { name: 'Cancel' }).click();
  is(await ask('wait', ['groq', 'aborted>=1']), 1, 'a cancel reaches it');
  await page.waitForSelector('[data-phase=idle]');

  // The queue.
  await ask('quiet');
  await slow({ mode: 'rate_limit', retryAfter: 8 });
  await make(page, 'a room that waits');
  await page.waitForSelector('[data-testid=position]');
  is(await page.getByTestId('position').innerText(), '1',
     'the place in the queue is shown');
  await page.getByText('Request queued').waitFor();
  ok(await page.getByText('Position: 1').isVisible(), 'and told');

  const other = await open(browser);
  await other.page.goto(address);
  await make(other.page, 'a second room');
  await other.page.waitForSelector('[data-testid=position]');
  is(await other.page.getByTestId('position').innerText(), '2',
     "somebody else's is behind it");

  // It is gone again when it is cancelled.
  await other.page.getByRole('button', { name: 'Cancel' }).click();
  await until('a cancel takes it out of the queue', async () => (
    (await ask('sql', `SELECT count(*) FROM atelier.generation
                       WHERE status = 'queued'`))[0] === '1'));

  await make(other.page, 'a third room');
  await other.page.waitForSelector('[data-testid=position]');
  await ask('quiet');
  await ask('reload');
  await ask('queue');
  await Promise.all([shown(page), shown(other.page)]);
  ok(true, 'over a reload of nginx the pictures arrive by themselves');

  // One's own.
  await page.getByRole('link', { name: 'Pictures' }).click();
  await page.waitForSelector('h1:has-text("Your pictures")');
  await until('they are listed, the newest first', async () => (
    await page.locator('main li').first().innerText()
  ).includes('a room that waits'));
  await page.locator('main li button').first().click();
  await page.waitForSelector('dialog[open]');
  const link = page.url();
  ok(link.includes('?picture='), 'an open one has a link', link);
  await page.goBack();
  await until('back closes it', async () => (
    await page.locator('dialog').count() === 0));
  const fresh = await open(browser);
  await fresh.page.goto(link);
  await fresh.page.waitForSelector('dialog[open] img');
  ok(true, 'the link opens it for others');

  // 422 and 503 are what a console says by itself.
  for (const one of [said, other.said, fresh.said]) {
    is(one.filter((text) => !/status of 422/.test(text)), [],
       'nothing else in the console');
  }
});
