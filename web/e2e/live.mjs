/*
 * lib/live.ts against a real server: its address is the argument.  Called by
 * a test in t/e2e, which does what is asked of it.
 */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import { WebSocket } from 'ws';
import { ask, is, ok, run, until } from './report.mjs';

/* Node 18 reads no TypeScript. */
async function load(file) {
  const dir = await mkdtemp(join(tmpdir(), 'atelier-live-'));
  try {
    const source = await readFile(
      fileURLToPath(new URL(file, import.meta.url)), 'utf8');
    const target = join(dir, 'module.mjs');
    await writeFile(target, ts.transpileModule(source, {
      compilerOptions: { module: 'ESNext', target: 'ES2022' },
    }).outputText);
    return await import(pathToFileURL(target).href);
  } finally {
    await rm(dir, { recursive: true });
  }
}

const [address] = process.argv.slice(2);
const { LiveClient } = await load('../lib/live.ts');

function client(options = {}) {
  const sockets = [];
  const states = [];
  const live = new LiveClient({
    url: `${address}/live`,
    open: (url) => {
      const socket = new WebSocket(url);
      sockets.push(socket);
      return socket;
    },
    ...options,
  });
  live.watch((state) => states.push(state.status));
  return { live, sockets, states };
}

/* Loss and duplicates: what was published comes once and in order. */
async function channels() {
  const { live, sockets, states } = client();
  const seen = [];
  const gaps = [];
  const firsts = [];

  await ask('publish', { channel: 'product:a', data: { n: 0 } });
  live.subscribe('product:a', {
    message({ n }, { first }) {
      seen.push(n);
      firsts.push(first);
    },
    gap(channel) { gaps.push(channel); },
  });
  await until('the value at subscription comes', () => seen.length === 1);

  const late = [];
  live.subscribe('product:a', { message({ n }) { late.push(n); } });
  await until('and at once to who comes later', () => late.length === 1);

  const TIMES = 5;
  const EACH = 40;
  for (let round = 0; round < TIMES; round++) {
    const deeds = [ask(round === TIMES - 1 ? 'crash' : 'hup')];
    for (let i = 0; i < EACH; i++) {
      deeds.push(ask('publish', {
        channel: 'product:a', data: { n: round * EACH + i + 1 },
      }));
    }
    await Promise.all(deeds);
  }
  await until('the last of all messages comes',
              () => seen.at(-1) === TIMES * EACH);
  is(seen, Array.from({ length: TIMES * EACH + 1 }, (_, i) => i),
     'over four reloads and a crash nothing is lost or shown twice');
  is(late, seen, '... to either listener');
  is(gaps, [], '... and no gap is told of');
  ok(firsts[0] === true && !firsts.slice(1).includes(true),
     'the value at subscription is told from news', firsts);
  ok(sockets.length > 3, 'there were several sockets', sockets.length);
  ok(!states.includes('gave-up'), 'it never gave up', states);

  // Away for longer than the server remembers.
  await ask('stop');
  await until('it waits', () => live.state.status === 'waiting');
  await ask('sql', `SELECT atelier.live_publish('product:a',
    json_build_object('n', 1000 + g)) FROM generate_series(1, 1500) AS g`);
  await until('the relay has passed them all on', async () =>
    (await ask('sql', 'SELECT count(*) FROM atelier.outbox'))[0] === '0');
  await ask('start');
  live.retry();
  await until('the newest value comes', () => seen.at(-1) === 2500);
  is(gaps, ['product:a'], '... and the gap is told of, once');
  live.close();
}

await run(async () => {
  const latencies = [];
  const errors = [];
  const { live, sockets, states } = client({
    onLatency: (ms) => latencies.push(ms),
    onError: (code) => errors.push(code),
  });

  const stop = live.subscribe('design:pexels:1', { message() {} });
  await until('it connects', () => live.state.status === 'open');
  await until('its ping is answered', () => latencies.length === 1);
  ok(latencies[0] < 60_000, 'in a time that can be', latencies);

  live.send({ type: 'dance' });
  await until('what the server does not know is told to the page',
              () => errors.includes('unknown_type'));
  is(live.state.status, 'open', '... and the socket lives');

  await ask('reload');
  await until('after a reload it has another socket',
              () => sockets.length >= 2 && live.state.status === 'open');
  await until('... which answers', () => latencies.length >= 2);
  ok(!states.includes('gave-up'), 'it did not give up', states);

  // More than the server takes of a client in a second, were it not paced.
  for (let i = 0; i < 90; i++) {
    live.send({ type: 'ping', t: Date.now() });
  }
  await until('ninety messages at once all get there',
              () => latencies.length >= 92);
  is(sockets.length, 2, '... by the same socket');

  await ask('stop');
  await until('without a server it waits for the next try',
              () => live.state.status === 'waiting');
  await ask('start');
  await until('and it finds the server again',
              () => live.state.status === 'open');

  stop();
  live.close();
  is(live.state.status, 'idle', 'in the end it is closed');

  await channels();
});
