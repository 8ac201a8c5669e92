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

await run(async () => {
  const sockets = [];
  const latencies = [];
  const errors = [];
  const states = [];
  const live = new LiveClient({
    url: `${address}/live`,
    open: (url) => {
      const socket = new WebSocket(url, { perMessageDeflate: true });
      sockets.push(socket);
      return socket;
    },
    onLatency: (ms) => latencies.push(ms),
    onError: (code) => errors.push(code),
  });
  live.watch((state) => states.push(state.status));

  const stop = live.subscribe('design:pexels:1', { message() {} });
  await until('it connects', () => live.state.status === 'open');
  await until('its ping is answered', () => latencies.length === 1);
  ok(latencies[0] < 5000, 'in a time that can be', latencies);

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
});
