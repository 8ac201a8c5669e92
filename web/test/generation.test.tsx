// @vitest-environment jsdom

/* A picture from the request to its end. */

import { act, cleanup, renderHook } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { useGeneration } from '../hooks/useGeneration';
import { noteWords, wordsOf } from '../lib/history';
import { LiveClient } from '../lib/live';
import { FakeServer, FakeWindow } from './fake-server';

const said: [string, string, Record<string, unknown> | undefined][] = [];
let server: FakeServer;
let client: LiveClient;

vi.mock('../lib/live-client', () => ({ live: () => client }));
vi.mock('../lib/toast', () => ({
  tell: (kind: string, text: string, options?: Record<string, unknown>) => {
    said.push([kind, text, options]);
  },
  untell: () => {},
}));

/* What has been said in this turn is heard, and shown. */
async function settle(ms = 0): Promise<void> {
  await act(() => vi.advanceTimersByTimeAsync(ms));
}

beforeEach(() => {
  vi.useFakeTimers();
  said.length = 0;
  server = new FakeServer();
  client = new LiveClient({
    url: 'http://shop.example/live', open: server.open,
    surroundings: new FakeWindow(), random: () => 0.5,
  });
});

afterEach(() => {
  cleanup();
  client.close();
  vi.useRealTimers();
});

describe('useGeneration', () => {
  const request = { prompt: 'a room' };
  let calls: { url: string; init?: RequestInit }[];
  let replies: (() => Promise<Response>)[];

  const reply = (status: number, body: object, headers = {}) => () => (
    Promise.resolve(new Response(status === 204 ? null : JSON.stringify(body), {
      status, headers: { 'Content-Type': 'application/json', ...headers },
    })));

  beforeEach(() => {
    calls = [];
    replies = [];
    vi.stubGlobal('fetch', (url: string, init?: RequestInit) => {
      calls.push(init ? { url, init } : { url });
      const next = replies.shift();
      return next ? next() : new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => { reject(new Error('aborted')); });
      });
    });
  });

  const done = {
    id: 'g', status: 'done', url: '/generated/g.png', width: 3, height: 2,
  };

  it('ends with the picture', async () => {
    replies.push(reply(200, done));
    const { result } = renderHook(() => useGeneration());
    act(() => { void result.current.start(request); });
    expect(result.current.phase.is).toBe('asking');
    await settle();
    expect(result.current.phase).toMatchObject({ is: 'done', row: done });
    expect((calls[0]?.init?.headers as Record<string, string>)['Idempotency-Key'])
      .toMatch(/^[\da-f-]{36}$/);
  });

  /* A response whose lines are said one after the other. */
  function spoken() {
    let control!: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start(controller) { control = controller; },
    });
    replies.push(() => Promise.resolve(new Response(body, {
      headers: { 'Content-Type': 'application/x-ndjson' },
    })));
    return {
      say: async (line: object) => {
        control.enqueue(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
        await settle();
      },
      end: async () => {
        control.close();
        await settle();
      },
      fail: async () => {
        control.error(new TypeError('network error'));
        await settle();
      },
    };
  }

  it('shows attempts as they start and end, where the server tells', async () => {
    const server = spoken();
    const { result } = renderHook(() => useGeneration());
    act(() => { void result.current.start(request); });
    await settle();
    expect((calls[0]?.init?.headers as Record<string, string>).Accept)
      .toMatch(/^application\/x-ndjson/);
    await server.say({ type: 'started', provider: 'groq' });
    await server.say({ type: 'started', provider: 'stability' });
    expect(result.current.phase).toMatchObject({
      is: 'asking', trials: [{ provider: 'groq' }, { provider: 'stability' }] });
    await server.say({ type: 'attempt', provider: 'groq', outcome: 'transient', ms: 9 });
    expect(result.current.phase).toMatchObject({
      is: 'asking', trials: [{ outcome: 'transient', ms: 9 }, { provider: 'stability' }] });
    await server.say({ type: 'answer', status: 200, body: done });
    expect(result.current.phase).toMatchObject({ is: 'done', row: done });
  });

  it('takes an answer in the last line as any other', async () => {
    const { result } = renderHook(() => useGeneration());
    const ask = async () => {
      const server = spoken();
      act(() => { void result.current.start(request); });
      await settle();
      await server.say({ type: 'started', provider: 'groq' });
      return server;
    };
    await (await ask()).say({ type: 'answer', status: 202, location: '/generate/g',
                              body: { id: 'g', status: 'queued', position: 2 } });
    expect(result.current.phase).toMatchObject({ is: 'queued', row: { position: 2 } });

    const attempts = [{ provider: 'groq', outcome: 'transient', ms: 9 }];
    await (await ask()).say({ type: 'answer', status: 503, retryAfter: 7, body: {
      status: 503, code: 'providers_unavailable', detail: 'Busy.', attempts } });
    expect(result.current.phase).toMatchObject({
      is: 'failed', code: 'providers_unavailable', detail: 'Busy.', retryAfter: 7,
      trials: attempts });

    const cut = await ask();
    await cut.say({ type: 'started', provider: 'stability' });
    await cut.say({ type: 'attempt', provider: 'groq', outcome: 'transient', ms: 9 });
    await cut.end();
    expect(result.current.phase).toMatchObject({ is: 'failed', code: 'cut_off', trials: attempts });
    await (await ask()).fail();
    expect(result.current.phase).toMatchObject({ is: 'failed', code: 'cut_off' });
  });

  it('hears nothing more of what was cancelled', async () => {
    const server = spoken();
    const { result } = renderHook(() => useGeneration());
    act(() => { void result.current.start(request); });
    await settle();
    await server.say({ type: 'started', provider: 'groq' });
    act(() => { result.current.cancel(); });
    expect(calls[0]?.init?.signal?.aborted).toBe(true);
    await server.say({ type: 'attempt', provider: 'groq', outcome: 'won', ms: 1 });
    await server.say({ type: 'answer', status: 200, body: done });
    expect(result.current.phase.is).toBe('idle');
  });

  it('waits in the queue, and the picture arrives by itself', async () => {
    replies.push(reply(202, { id: 'g', status: 'queued', position: 3,
                              etaSeconds: 20, channel: 'generate:g' }));
    const { result } = renderHook(() => useGeneration());
    act(() => { void result.current.start(request); });
    await settle();
    expect(result.current.phase).toMatchObject({ is: 'queued', row: { position: 3 } });
    act(() => {
      server.mention('generate:g', { id: 'g', status: 'queued', position: 1, etaSeconds: 5 });
    });
    expect(result.current.phase).toMatchObject({ row: { position: 1, etaSeconds: 5 } });
    act(() => { server.publish('generate:g', done); });
    expect(result.current.phase).toMatchObject({ is: 'done', row: done });
    expect(said.map(([, text, options]) => [text, options?.description])).toEqual([
      ['Request queued', 'Position: 3'],
      ['Processing queue', '1 request remaining'],
    ]);
    await settle(60_000);
    expect(calls).toHaveLength(1);
  });

  it('asks for what was too long to be told', async () => {
    replies.push(reply(202, { id: 'g', status: 'queued', position: 1 }),
                 reply(200, done));
    const { result } = renderHook(() => useGeneration());
    act(() => { void result.current.start(request); });
    await settle();
    act(() => { server.publish('generate:g', { id: 'g', status: 'done', url: done.url }); });
    await settle();
    expect(calls[1]?.url).toBe('/generate/g');
    expect(result.current.phase).toMatchObject({ is: 'done', row: done });
  });

  it('asks when nothing live comes through', async () => {
    server.mode = 'refuse';
    replies.push(reply(202, { id: 'g', status: 'queued', position: 1 }),
                 reply(200, { id: 'g', status: 'running' }), reply(200, done));
    const { result } = renderHook(() => useGeneration());
    act(() => { void result.current.start(request); });
    await settle();
    await settle(10_100);
    expect(result.current.phase).toMatchObject({ is: 'queued', row: { status: 'running' } });
    await settle(10_000);
    expect(result.current.phase.is).toBe('done');
  });

  it('takes no late answer about what was cancelled', async () => {
    replies.push(reply(202, { id: 'g', status: 'queued', position: 1 }));
    let late: (() => void) | undefined;
    replies.push(() => new Promise((resolve) => {
      late = () => {
        resolve(new Response(JSON.stringify({ id: 'g', status: 'queued', position: 1 }),
                             { headers: { 'Content-Type': 'application/json' } }));
      };
    }), reply(204, {}));
    const { result } = renderHook(() => useGeneration());
    act(() => { void result.current.start(request); });
    await settle();
    await settle(10_100);
    expect(calls).toHaveLength(2);
    act(() => { result.current.cancel(); });
    late?.();
    await settle();
    expect(result.current.phase.is).toBe('idle');
  });

  it('really cancels: the request, and what is queued', async () => {
    const { result } = renderHook(() => useGeneration());
    act(() => { void result.current.start(request); });
    await settle();
    act(() => { result.current.cancel(); });
    expect(calls[0]?.init?.signal?.aborted).toBe(true);
    await settle();
    expect(result.current.phase.is).toBe('idle');

    replies.push(reply(202, { id: 'g', status: 'queued', position: 1 }), reply(204, {}));
    act(() => { void result.current.start(request); });
    await settle();
    act(() => { result.current.cancel(); });
    await settle();
    expect(calls.at(-1)).toMatchObject({ url: '/generate/g', init: { method: 'DELETE' } });
    expect(result.current.phase.is).toBe('idle');
  });

  it('says in words what went wrong', async () => {
    replies.push(
      reply(503, { status: 503, code: 'providers_unavailable', detail: 'All are busy.' },
            { 'Content-Type': 'application/problem+json', 'Retry-After': '7' }),
      () => Promise.resolve(new Response('<html>', { status: 429, headers: { 'Content-Type': 'text/html' } })),
      () => Promise.reject(new TypeError('fetch failed')),
    );
    const { result } = renderHook(() => useGeneration());
    for (const words of [/^All are busy\.$/, /a moment/, /cannot be reached/]) {
      act(() => { void result.current.start(request); });
      await settle();
      expect(result.current.phase).toMatchObject({
        is: 'failed', detail: expect.stringMatching(words) as string });
    }
  });

  it('ends with the reason when the queue gives up', async () => {
    replies.push(reply(202, { id: 'g', status: 'queued', position: 1 }));
    const { result } = renderHook(() => useGeneration());
    act(() => { void result.current.start(request); });
    await settle();
    act(() => { server.publish('generate:g', { id: 'g', status: 'failed', code: 'moderated', detail: 'Refused.' }); });
    expect(result.current.phase).toMatchObject({ is: 'failed', detail: 'Refused.' });
  });
});

describe('the words of pictures that are waited for', () => {
  it('are kept for the latest of them', () => {
    localStorage.clear();
    expect(wordsOf('a')).toBe('');
    for (let n = 0; n < 70; n++) {
      noteWords(`p${n}`, `room ${n}`);
    }
    noteWords('p69', 'another room');
    expect([wordsOf('p69'), wordsOf('p68'), wordsOf('p0')])
      .toEqual(['another room', 'room 68', '']);
    localStorage.setItem('atelier.words', '{"broken');
    expect(wordsOf('p69')).toBe('');
  });
});
