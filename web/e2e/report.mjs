/*
 * The line to the test in t/e2e that started us: one JSON object a line.
 * To it go results, {"ok", "name", "detail"}, and requests, {"do", "with"};
 * it answers each request by {"done"}.  See t/helper/Node.pm.
 */

import { createInterface } from 'node:readline';
import { isDeepStrictEqual } from 'node:util';

const waiting = [];

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => { waiting.shift()?.(JSON.parse(line).done); });
// Nobody is left to hear of it.
lines.on('close', () => { process.exit(1); });

function put(object) {
  process.stdout.write(`${JSON.stringify(object)}\n`);
}

export function ok(condition, name, detail) {
  put({ ok: Boolean(condition), name, detail: condition ? undefined : detail });
  return Boolean(condition);
}

export function is(got, expected, name) {
  return ok(isDeepStrictEqual(got, expected), name, { got, expected });
}

/** Has the test do something, such as a reload, and waits until it is done. */
export function ask(what, parameters) {
  return new Promise((resolve) => {
    waiting.push(resolve);
    put({ do: what, with: parameters });
  });
}

/** Waits until the function is true, or fails; returns what it returned. */
export async function until(name, condition, ms = 60_000) {
  const end = Date.now() + ms;
  let value;
  do {
    value = await condition();
    if (value) {
      break;
    }
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  } while (Date.now() < end);
  ok(value, name, `waited ${ms} ms in vain`);
  return value;
}

/** Runs it all and ends the process, whatever happens. */
export async function run(main) {
  try {
    await main();
  } catch (error) {
    ok(false, 'nothing is thrown', String(error?.stack ?? error));
  }
  process.stdout.write('{"end":true}\n', () => { process.exit(0); });
}
