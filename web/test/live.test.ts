import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveClient, type LiveHandlers, type LiveState } from '../lib/live';
import { FakeServer, FakeWindow } from './fake-server';

let server: FakeServer;
let page: FakeWindow;
let live: LiveClient;
let random: number;
let states: string[];
const latencies: number[] = [];
const errors: string[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
  page = new FakeWindow();
  random = 0.5;
  states = [];
  latencies.length = 0;
  errors.length = 0;
  live = new LiveClient({
    url: 'http://shop.example/live',
    open: server.open,
    surroundings: page,
    random: () => random,
    onLatency: (ms) => latencies.push(ms),
    onError: (code) => errors.push(code),
  });
  live.watch((state) => states.push(state.status));
});

afterEach(() => {
  live.close();
  vi.useRealTimers();
});

/* What has been said in this turn is heard. */
async function settle(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

/* A listener that writes down what it is told. */
function listener() {
  const seen: unknown[] = [];
  const firsts: boolean[] = [];
  const gaps: string[] = [];
  const handlers: LiveHandlers = {
    message(data, { first }) {
      seen.push(data);
      firsts.push(first);
    },
    gap(channel) { gaps.push(channel); },
  };
  return { seen, firsts, gaps, handlers };
}

/* The state while it waits, or an error. */
function waiting(): Extract<LiveState, { status: 'waiting' }> {
  const { state } = live;
  if (state.status !== 'waiting') {
    throw new Error(`it is ${state.status}, not waiting`);
  }
  return state;
}

describe('one socket', () => {
  it('opens when somebody listens, and not before', async () => {
    await settle(60_000);
    expect(server.sockets).toHaveLength(0);
    live.subscribe('product:a', listener().handlers);
    live.subscribe('product:b', listener().handlers);
    await settle();
    expect(server.sockets).toHaveLength(1);
    expect(server.socket.url).toBe('ws://shop.example/live');
    expect(states).toEqual(['connecting', 'open']);
    expect([...server.socket.subscribed]).toEqual(['product:a', 'product:b']);
  });

  it('is shared: a channel is asked for once and left by its last', async () => {
    const one = listener();
    const two = listener();
    server.publish('product:a', 1);
    const stopOne = live.subscribe('product:a', one.handlers);
    await settle();
    const stopTwo = live.subscribe('product:a', two.handlers);
    await settle();
    expect(server.socket.of('subscribe')).toHaveLength(1);
    expect(one.seen).toEqual([1]);
    expect(two.seen).toEqual([1]);      // from here, at once
    expect(two.firsts).toEqual([true]);
    stopOne();
    stopOne();                          // twice is as good as once
    await settle();
    server.publish('product:a', 2);
    expect(one.seen).toEqual([1]);
    expect(two.seen).toEqual([1, 2]);
    expect(server.socket.of('unsubscribe')).toHaveLength(0);
    stopTwo();
    await settle();
    expect(server.socket.of('unsubscribe')).toHaveLength(1);
  });

  it('says nothing of who leaves and comes back in one turn', async () => {
    const stop = live.subscribe('product:a', listener().handlers);
    await settle();
    stop();
    live.subscribe('product:a', listener().handlers);
    await settle();
    expect(server.socket.of('subscribe')).toHaveLength(1);
    expect(server.socket.of('unsubscribe')).toHaveLength(0);
  });

  it('asks for the value again after a channel was really left', async () => {
    server.publish('product:a', 1);
    live.subscribe('product:b', listener().handlers);
    const stop = live.subscribe('product:a', listener().handlers);
    await settle();
    stop();
    await settle();
    server.publish('product:a', 2);
    const again = listener();
    live.subscribe('product:a', again.handlers);
    await settle();
    expect(again.seen).toEqual([2]);
    expect(server.sockets).toHaveLength(1);
  });

  it('closes a while after the last has left', async () => {
    const stop = live.subscribe('product:a', listener().handlers);
    await settle();
    stop();
    await settle(4900);
    expect(live.state.status).toBe('open');
    await settle(200);
    expect(live.state.status).toBe('idle');
    expect(server.socket.closed).toBe(1000);
    live.subscribe('product:a', listener().handlers);
    await settle();
    expect(live.state.status).toBe('open');
  });

  it('is there for who holds it, and comes back for him', async () => {
    const release = live.hold();
    await settle();
    expect(live.state.status).toBe('open');
    server.socket.end(1006);
    await settle(2000);
    expect(server.sockets).toHaveLength(2);
    live.subscribe('product:a', listener().handlers)();
    await settle(60_000);
    expect(live.state.status).toBe('open');
    release();
    release();
    await settle(6000);
    expect(live.state.status).toBe('idle');
  });

  it('sends no more than 40 messages in any second', async () => {
    for (let i = 0; i < 100; i++) {
      live.subscribe(`design:x:${i}`, listener().handlers);
    }
    await settle();
    expect(server.socket.sent.length).toBe(40);
    await settle(999);
    expect(server.socket.sent.length).toBe(40);
    await settle(1);
    expect(server.socket.sent.length).toBe(80);
    await settle(1000);
    expect(server.socket.subscribed.size).toBe(100);
    expect(server.socket.of('subscribe')).toHaveLength(100);
  });

  it('does not say later what has become untrue meanwhile', async () => {
    const stops = [];
    for (let i = 0; i < 1000; i++) {
      stops.push(live.subscribe(`design:x:${i}`, listener().handlers));
    }
    await settle();
    stops.forEach((stop) => { stop(); });
    live.subscribe('design:y', listener().handlers);
    await settle(3000);
    expect([...server.socket.subscribed]).toEqual(['design:y']);
    expect(server.socket.sent.length).toBeLessThan(100);
  });
});

describe('what it shows', () => {
  it('tells the first value from news', async () => {
    const one = listener();
    server.publish('product:a', 'old');
    live.subscribe('product:a', one.handlers);
    await settle();
    server.publish('product:a', 'new');
    expect(one.seen).toEqual(['old', 'new']);
    expect(one.firsts).toEqual([true, false]);
    const two = listener();
    live.subscribe('product:b', two.handlers);
    await settle();
    server.publish('product:b', 'the first there ever was');
    expect(two.firsts).toEqual([false]);
  });

  it('never shows an id twice', async () => {
    const one = listener();
    server.publish('product:a', 1);
    live.subscribe('product:a', one.handlers);
    await settle();
    server.socket.push({ channel: 'product:a', id: 1, data: 'again' });
    server.socket.push({ channel: 'product:a', id: 2, data: 2 });
    server.socket.push({ channel: 'product:a', id: 2, data: 'again' });
    server.socket.push({ channel: 'product:a', id: 1, data: 'older' });
    expect(one.seen).toEqual([1, 2]);
  });

  it('takes ids that skip for conflation', async () => {
    const one = listener();
    server.publish('product:a', 1);
    live.subscribe('product:a', one.handlers);
    await settle();
    server.socket.push({ channel: 'product:a', id: 9, data: 9 });
    expect(one.seen).toEqual([1, 9]);
    expect(one.gaps).toEqual([]);
  });

  it('shows messages without an id, which move nothing', async () => {
    const one = listener();
    server.publish('generate:g', { status: 'queued' });
    live.subscribe('generate:g', one.handlers);
    await settle();
    server.mention('generate:g', { position: 3 });
    server.mention('generate:g', { position: 3 });
    expect(one.seen).toHaveLength(3);
    server.socket.end(1012);
    server.publish('generate:g', { status: 'done' });
    await settle(1000);
    expect(server.socket.of('subscribe')[0]?.since).toBe(1);
    expect(one.seen.at(-1)).toEqual({ status: 'done' });
    expect(one.seen).toHaveLength(4);
  });

  it('lives on whatever a message is', async () => {
    const one = listener();
    live.subscribe('product:a', one.handlers);
    await settle();
    for (const data of ['{', '1', 'null', '[]', '{"type":"subscribed"}',
                        '{"type":7}', '{"channel":7,"data":1}',
                        '{"channel":"product:b","data":1}',
                        '{"channel":"product:a"}',
                        '{"type":"subscribed","channel":"product:a"}']) {
      server.socket.onmessage?.({ data } as never);
    }
    server.socket.push({ type: 'error', code: 'too_long', message: 'x' });
    server.publish('product:a', 1);
    expect(one.seen).toEqual([1]);
    expect(errors).toEqual(['too_long']);
    expect(live.state.status).toBe('open');
  });

  it('is not stopped by a listener that leaves while it is told', async () => {
    const two = listener();
    const stop = live.subscribe('product:a', { message() { stop(); } });
    live.subscribe('product:a', two.handlers);
    await settle();
    server.publish('product:a', 1);
    server.publish('product:a', 2);
    expect(two.seen).toEqual([1, 2]);
  });
});

describe('after a loss', () => {
  it('gets what it missed, once and in order', async () => {
    const one = listener();
    server.publish('product:a', 1);
    live.subscribe('product:a', one.handlers);
    await settle();
    server.publish('product:a', 2);
    server.socket.end(1006);
    server.publish('product:a', 3);
    server.publish('product:a', 4);
    await settle(2000);
    server.publish('product:a', 5);
    expect(one.seen).toEqual([1, 2, 3, 4, 5]);
    expect(one.gaps).toEqual([]);
    expect(server.socket.of('subscribe')[0]?.since).toBe(2);
  });

  it('tells of a gap, and then the newest value', async () => {
    const one = listener();
    server.keep = 10;
    server.publish('product:a', 0);
    live.subscribe('product:a', one.handlers);
    await settle();
    server.socket.end(1006);
    for (let i = 1; i <= 11; i++) {
      server.publish('product:a', i);
    }
    await settle(2000);
    expect(one.gaps).toEqual(['product:a']);
    expect(one.seen).toEqual([0, 11]);
    server.publish('product:a', 12);
    expect(one.seen).toEqual([0, 11, 12]);
  });

  it('has no gap when all of it is still there', async () => {
    const one = listener();
    server.keep = 10;
    server.publish('product:a', 0);
    live.subscribe('product:a', one.handlers);
    await settle();
    server.socket.end(1006);
    for (let i = 1; i <= 10; i++) {
      server.publish('product:a', i);
    }
    await settle(2000);
    expect(one.gaps).toEqual([]);
    expect(one.seen).toHaveLength(11);
  });

  it('follows a server that counts from the start again', async () => {
    const one = listener();
    for (let i = 1; i <= 5; i++) {
      server.publish('product:a', i);
    }
    live.subscribe('product:a', one.handlers);
    await settle();
    server.socket.end(1006);
    server.forget();
    server.publish('product:a', 'new');
    await settle(2000);
    server.publish('product:a', 'newer');
    expect(one.gaps).toEqual(['product:a']);
    expect(one.seen).toEqual([5, 'new', 'newer']);
  });

  it('asks a channel without a value for what came since', async () => {
    const one = listener();
    server.publish('products', 'before');
    live.subscribe('products', one.handlers);
    await settle();
    expect(one.seen).toEqual([]);
    server.socket.end(1006);
    server.publish('products', 'meanwhile');
    await settle(2000);
    expect(one.seen).toEqual(['meanwhile']);
    expect(one.firsts).toEqual([false]);
    expect(server.socket.of('subscribe')[0]?.since).toBe(1);
  });

  it('asks again for a value that never arrived', async () => {
    const one = listener();
    server.publish('product:a', 1);
    server.valueless = true;
    live.subscribe('product:a', one.handlers);
    await settle();
    // Subscribed, and the connection lost before the value was there.
    server.socket.end(1006);
    server.valueless = false;
    await settle(2000);
    expect(server.socket.of('subscribe')[0]).not.toHaveProperty('since');
    expect(one.seen).toEqual([1]);
  });

  it('says nothing to a socket that is closing', async () => {
    live.subscribe('product:a', listener().handlers);
    await settle();
    const old = server.socket;
    const before = old.sent.length;
    old.readyState = 2;
    live.send({ type: 'note' });
    live.subscribe('product:b', listener().handlers);
    page.online();
    await settle();
    expect(old.sent).toHaveLength(before);
    old.end(1006);
    await settle(2000);
    expect(server.socket).not.toBe(old);
    expect(server.socket.of('note')).toHaveLength(1);
    expect([...server.socket.subscribed].sort())
      .toEqual(['product:a', 'product:b']);
  });

  it('keeps what is to be sent, 100 messages at most', async () => {
    server.mode = 'refuse';
    for (let i = 0; i < 150; i++) {
      live.send({ type: 'note', i });
    }
    await settle();
    server.mode = 'accept';
    await settle(10_000);
    const notes = server.sockets.flatMap((socket) => socket.of('note'));
    expect(notes.map(({ i }) => i)).toEqual(
      Array.from({ length: 100 }, (_, i) => i + 50));
  });
});

describe('the tries', () => {
  it('come after 1 s x 2^n, ten of them, and then it gives up', async () => {
    const at: number[] = [];
    server.mode = 'refuse';
    live.subscribe('product:a', listener().handlers);
    const start = Date.now();
    live.watch((state) => {
      if (state.status === 'connecting' && state.tries > 0) {
        at.push((Date.now() - start) / 1000);
      }
    });
    await settle(1_100_000);
    expect(at).toEqual([1, 3, 7, 15, 31, 63, 127, 255, 511, 1023]);
    expect(live.state).toEqual({ status: 'gave-up', tries: 10 });
    await settle(10_000_000);
    expect(server.sockets).toHaveLength(11);
  });

  it('are spread by half to either side', async () => {
    server.mode = 'refuse';
    random = 0;
    live.subscribe('product:a', listener().handlers);
    await settle();
    expect(waiting().at - Date.now()).toBe(500);
    random = 1;
    await settle(500);
    expect(waiting().at - Date.now()).toBe(3000);
    expect(waiting().tries).toBe(2);
  });

  it('are counted anew when the server has said something', async () => {
    server.mode = 'refuse';
    live.subscribe('product:a', listener().handlers);
    await settle(7000);
    server.mode = 'accept';
    await settle(8000);
    expect(live.state.status).toBe('open');
    server.socket.end(1006);
    expect(waiting().at - Date.now()).toBe(1000);
  });

  it('go on being counted if it only lets us in', async () => {
    server.slam = 1008;
    live.subscribe('product:a', listener().handlers);
    await settle(1_100_000);
    expect(live.state.status).toBe('gave-up');
    expect(server.sockets).toHaveLength(11);
  });

  it('come at once after 1012, when the server is reloaded', async () => {
    live.subscribe('product:a', listener().handlers);
    await settle();
    server.socket.end(1012);
    expect(waiting().at - Date.now()).toBeLessThanOrEqual(200);
    await settle(200);
    expect(live.state.status).toBe('open');
  });

  it('but not at once, time and again', async () => {
    server.slam = 1012;
    live.subscribe('product:a', listener().handlers);
    await settle(10_000);
    expect(server.sockets.length).toBeLessThan(6);
  });

  it('come after 5 s at least when the server asks for later', async () => {
    random = 0;
    live.subscribe('product:a', listener().handlers);
    await settle();
    server.socket.end(1013);
    await settle(4900);
    expect(server.sockets).toHaveLength(1);
    await settle(200);
    expect(server.sockets).toHaveLength(2);
  });

  for (const [what, event] of [
    ['the browser is online again', () => { page.online(); }],
    ['the page is seen again', () => { page.show(true); }],
    ['somebody asks for it', () => { live.retry(); }],
  ] as const) {
    it(`begin anew when ${what}`, async () => {
      server.mode = 'refuse';
      live.subscribe('product:a', listener().handlers);
      await settle(1_100_000);
      expect(live.state.status).toBe('gave-up');
      event();
      await settle();
      expect(waiting().tries).toBe(1);
      server.mode = 'accept';
      event();
      await settle();
      expect(live.state.status).toBe('open');
    });
  }

  it('do not begin when the page is hidden', async () => {
    server.mode = 'refuse';
    live.subscribe('product:a', listener().handlers);
    await settle(1_100_000);
    page.show(false);
    await settle();
    expect(live.state.status).toBe('gave-up');
  });

  it('stop when nobody listens any more', async () => {
    server.mode = 'refuse';
    const stop = live.subscribe('product:a', listener().handlers);
    await settle(2000);
    stop();
    await settle(1_100_000);
    expect(live.state.status).toBe('idle');
    expect(server.sockets.length).toBeLessThan(5);
  });
});

describe('a socket that is dead', () => {
  it('is found out by the heartbeat', async () => {
    live.subscribe('product:a', listener().handlers);
    await settle();
    const { socket } = server;
    socket.deaf = true;
    await settle(30_000);
    expect(live.state.status).toBe('open');
    await settle(10_000);
    expect(socket.closed).toBeDefined();
    await settle(1000);
    expect(server.sockets).toHaveLength(2);
    expect(live.state.status).toBe('open');
  });

  it('is not one that answers', async () => {
    live.subscribe('product:a', listener().handlers);
    await settle(600_000);
    expect(server.sockets).toHaveLength(1);
    expect(server.socket.of('ping')).toHaveLength(21);
    expect(latencies).toHaveLength(21);
  });

  it('is looked for when the page is seen again', async () => {
    live.subscribe('product:a', listener().handlers);
    await settle(1000);
    server.socket.deaf = true;
    page.show(false);
    page.show(true);
    await settle(10_000);
    expect(live.state.status).not.toBe('open');
  });

  it('is one whose handshake takes too long', async () => {
    server.mode = 'silent';
    live.subscribe('product:a', listener().handlers);
    await settle(9900);
    expect(live.state.status).toBe('connecting');
    await settle(100);
    expect(live.state.status).toBe('waiting');
    expect(server.socket.closed).toBeDefined();
  });

  it('has no say any more', async () => {
    const one = listener();
    live.subscribe('product:a', one.handlers);
    await settle();
    const old = server.socket;
    old.deaf = true;
    await settle(42_000);
    expect(server.socket).not.toBe(old);
    expect(old.onmessage).toBeNull();
    expect(old.onclose).toBeNull();
  });
});

describe('a page that goes', () => {
  it('hangs up, and goes on when it comes back', async () => {
    const one = listener();
    server.publish('product:a', 1);
    live.subscribe('product:a', one.handlers);
    await settle();
    page.leave();
    expect(server.socket.closed).toBe(1001);
    server.publish('product:a', 2);
    await settle(60_000);
    expect(server.sockets).toHaveLength(1);
    page.comeBack();
    await settle();
    expect(one.seen).toEqual([1, 2]);
  });

  it('closes a socket that still opens when it is open', async () => {
    server.mode = 'silent';
    live.subscribe('product:a', listener().handlers);
    await settle();
    const [socket] = server.sockets;
    if (!socket) {
      throw new Error('no socket');
    }
    socket.readyState = 0;
    live.close();
    expect(socket.closed).toBeUndefined();
    socket.onopen?.({} as never);
    expect(socket.closed).toBe(1000);
  });

  it('leaves nothing behind when the client is closed', async () => {
    live.subscribe('product:a', listener().handlers);
    await settle();
    live.close();
    expect(vi.getTimerCount()).toBe(0);
    page.online();
    page.show(true);
    await settle(60_000);
    expect(server.sockets).toHaveLength(1);
  });
});
