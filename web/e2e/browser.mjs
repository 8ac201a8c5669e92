/* Debian's Chromium, by playwright-core, with nothing fetched from outside. */

import { readFile } from 'node:fs/promises';
import { chromium } from 'playwright-core';

const axe = await readFile(
  new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

export async function launch() {
  return await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update',
      '--disable-sync', '--disable-dev-shm-usage'],
  });
}

/*
 * A page whose console and faults are written down: "said" is what should be
 * empty at the end, but for what a test has made happen.
 */
export async function open(browser, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 }, colorScheme: 'light', ...options,
  });
  // As long as report.mjs waits.
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  const said = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') {
      said.push(`${message.text()} ${message.location().url}`);
    }
  });
  page.on('pageerror', (error) => { said.push(String(error)); });
  return { context, page, said };
}

/* What axe finds on a page, or within a part of it, that is serious. */
export async function serious(page, part) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(
    (within) => window.axe.run(within ?? document), part);
  return violations.filter(({ impact }) => /serious|critical/.test(impact))
    .map(({ id, nodes }) => [id, nodes.slice(0, 3).map(({ html }) => html)]);
}

/* What a page says of its socket. */
export function live(page) {
  return page.getByRole('status').filter({ hasText: /^Live$/ });
}
