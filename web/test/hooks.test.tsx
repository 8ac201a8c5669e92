// @vitest-environment jsdom

import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { act, cleanup, render, renderHook, screen } from '@testing-library/react';
import type { ReactNode } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Heart } from '../components/Heart';
import { useOptimisticMutation } from '../hooks/useOptimisticMutation';
import { usePerformanceTracking } from '../hooks/usePerformanceTracking';
import { useRealtimePrice } from '../hooks/useRealtimePrice';
import { useLiveState, useWebSocket } from '../hooks/useWebSocket';
import { likesOf } from '../lib/likes';
import { LiveClient } from '../lib/live';
import { measures } from '../lib/telemetry';
import { FakeServer, FakeWindow } from './fake-server';

const said: [string, string, Record<string, unknown> | undefined][] = [];
let server: FakeServer;
let client: LiveClient;
let queries: QueryClient;

vi.mock('../lib/live-client', () => ({ live: () => client }));
vi.mock('../lib/toast', () => ({
  tell: (kind: string, text: string, options?: Record<string, unknown>) => {
    said.push([kind, text, options]);
  },
  untell: () => {},
}));

function wrapper({ children }: { children: ReactNode }) {
  return <QueryClientProvider client={queries}>{children}</QueryClientProvider>;
}

/* What has been said in this turn is heard, and shown. */
async function settle(ms = 0): Promise<void> {
  await act(() => vi.advanceTimersByTimeAsync(ms));
}

beforeEach(() => {
  vi.useFakeTimers();
  said.length = 0;
  server = new FakeServer();
  queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  client = new LiveClient({
    url: 'http://shop.example/live', open: server.open,
    surroundings: new FakeWindow(), random: () => 0.5,
  });
});

afterEach(() => {
  cleanup();
  client.close();
  queries.clear();
  vi.useRealTimers();
});

describe('useWebSocket', () => {
  it('listens for as long as it is there', async () => {
    const heard: unknown[] = [];
    const { unmount } = renderHook(() => {
      useWebSocket('product:a', (data) => { heard.push(data); });
    });
    await settle();
    server.publish('product:a', 1);
    unmount();
    await settle();
    server.publish('product:a', 2);
    expect(heard).toEqual([1]);
    expect(server.socket.subscribed.size).toBe(0);
  });

  it('calls the newest function without subscribing anew', async () => {
    const heard: string[] = [];
    const { rerender } = renderHook(({ who }) => {
      useWebSocket('product:a', () => { heard.push(who); });
    }, { initialProps: { who: 'first' } });
    await settle();
    rerender({ who: 'second' });
    server.publish('product:a', 1);
    expect(heard).toEqual(['second']);
    expect(server.socket.of('subscribe')).toHaveLength(1);
  });

  it('goes to another channel, and to none', async () => {
    const { rerender } = renderHook(({ channel }: { channel: string | null }) => {
      useWebSocket(channel, () => {});
    }, { initialProps: { channel: 'product:a' as string | null } });
    await settle();
    rerender({ channel: 'product:b' });
    await settle();
    expect([...server.socket.subscribed]).toEqual(['product:b']);
    rerender({ channel: null });
    await settle();
    expect(server.socket.subscribed.size).toBe(0);
  });

  it('asks for nothing if it only flies past', async () => {
    const { unmount } = renderHook(() => {
      useWebSocket('design:a', () => {}, { delay: 400 });
    });
    await settle(300);
    unmount();
    await settle(1000);
    expect(server.sockets).toHaveLength(0);
  });

  it('tells of a gap', async () => {
    const onGap = vi.fn();
    server.keep = 2;
    server.publish('product:a', 1);
    renderHook(() => { useWebSocket('product:a', () => {}, { onGap }); });
    await settle();
    server.socket.end(1006);
    for (let i = 0; i < 5; i++) {
      server.publish('product:a', i);
    }
    await settle(2000);
    expect(onGap).toHaveBeenCalledTimes(1);
  });

  it('shows the state of the socket', async () => {
    const { result } = renderHook(() => {
      useWebSocket('product:a', () => {});
      return useLiveState().status;
    });
    await settle();
    expect(result.current).toBe('open');
    act(() => { server.socket.end(1006); });
    expect(result.current).toBe('waiting');
  });
});

describe('useRealtimePrice', () => {
  const known = { price: '1000', inStock: false, priceAt: null };
  const update = (more: object) => ({
    productId: 'a', price: '1000', currency: 'INR', inStock: false, ...more,
  });

  it('follows the channel, flashes and tells', async () => {
    const { result } = renderHook(
      () => useRealtimePrice('a', known, { title: 'Sofa' }), { wrapper });
    await settle();
    expect(result.current.price).toBe('1000');
    act(() => { server.publish('product:a', update({ price: '900' })); });
    expect(result.current).toMatchObject({ price: '900', change: 'down' });
    expect(said.map(([, text]) => text)).toEqual(['Price updated: ₹900']);
    act(() => { server.publish('product:a', update({ price: '950.50', inStock: true })); });
    expect(result.current.change).toBe('up');
    expect(said.map(([, text]) => text)).toEqual([
      'Price updated: ₹900', 'Price updated: ₹950.50', 'Back in stock!']);
    await settle(3000);
    expect(result.current.change).toBeNull();
  });

  it('does not tell of the value at the start', async () => {
    server.publish('product:a', update({ price: '700', inStock: true }));
    const { result } = renderHook(() => useRealtimePrice('a', known), { wrapper });
    await settle();
    expect(result.current).toMatchObject({ price: '700', change: null });
    expect(said).toEqual([]);
  });

  it('tells of what changed while the socket was away', async () => {
    server.publish('product:a', update({}));
    renderHook(() => useRealtimePrice('a', known), { wrapper });
    await settle();
    server.socket.end(1012);
    server.publish('product:a', update({ price: '800' }));
    await settle(1000);
    expect(said.map(([, text]) => text)).toEqual(['Price updated: ₹800']);
  });

  it('knows what was fetched later better than what was told', async () => {
    const at = (hour: number) => new Date(Date.UTC(2026, 10, 10, hour)).toISOString();
    const { result, rerender } = renderHook(
      ({ priceAt, price }) => useRealtimePrice('a', { ...known, price, priceAt }),
      { wrapper, initialProps: { price: '1000', priceAt: at(1) } });
    await settle();
    act(() => { server.publish('product:a', update({ price: '900', at: at(2) })); });
    expect(result.current).toMatchObject({ price: '900', at: at(2) });
    rerender({ price: '800', priceAt: at(3) });
    expect(result.current).toMatchObject({ price: '800', at: at(3) });
  });

  it('listens only while it is told to', async () => {
    const { result, rerender } = renderHook(
      ({ live }) => useRealtimePrice('a', known, { live }),
      { wrapper, initialProps: { live: false } });
    await settle();
    expect(server.sockets).toHaveLength(0);
    rerender({ live: true });
    await settle();
    act(() => { server.publish('product:a', update({ price: '900' })); });
    expect(result.current.price).toBe('900');
    rerender({ live: false });
    await settle();
    expect(server.socket.subscribed.size).toBe(0);
    expect(result.current.price).toBe('900');
  });

  it('is not misled by a message that is no update', async () => {
    const { result } = renderHook(() => useRealtimePrice('a', known), { wrapper });
    await settle();
    for (const data of [null, 7, 'x', [], {}]) {
      act(() => { server.mention('product:a', data); });
    }
    expect(result.current.price).toBe('1000');
  });
});

describe('useOptimisticMutation', () => {
  let answer: (ok: boolean) => void;
  let stored: number;

  function setUp() {
    stored = 1;
    return renderHook(() => {
      const query = useQuery({ queryKey: ['n'], queryFn: () => stored });
      const mutation = useOptimisticMutation<number, number, number>({
        queryKey: () => ['n'],
        mutationFn: (n) => new Promise((resolve, reject) => {
          answer = (ok) => {
            if (ok) {
              stored = n;
              resolve(n);
            } else {
              reject(new Error('no'));
            }
          };
        }),
        optimistic: (_old, n) => n,
        settle: (n) => n,
      }, 'n');
      return { value: query.data, mutate: mutation.mutate };
    }, { wrapper });
  }

  it('shows a change at once and keeps it', async () => {
    const { result } = setUp();
    await settle();
    act(() => { result.current.mutate(2); });
    await settle();
    expect(result.current.value).toBe(2);
    answer(true);
    await settle();
    expect(result.current.value).toBe(2);
    expect(said).toEqual([['success', 'Updated', expect.objectContaining({
      description: 'Changes saved' })]]);
  });

  it('takes it back when it is refused, and tries again', async () => {
    const { result } = setUp();
    await settle();
    act(() => { result.current.mutate(2); });
    await settle();
    answer(false);
    await settle();
    expect(result.current.value).toBe(1);
    const [kind, text, options] = said[0] ?? [];
    expect([kind, text, options?.description])
      .toEqual(['error', 'Update failed', 'Changes reverted']);
    const { label, onClick } = options?.action as
      { label: string; onClick: () => void };
    expect(label).toBe('Retry');
    act(onClick);
    await settle();
    expect(result.current.value).toBe(2);
    answer(true);
    await settle();
    expect(result.current.value).toBe(2);
    expect(stored).toBe(2);
  });

  it('does not let a refetch show the old state meanwhile', async () => {
    const { result } = setUp();
    await settle();
    act(() => { void queries.refetchQueries({ queryKey: ['n'] }); });
    act(() => { result.current.mutate(2); });
    await settle();
    expect(result.current.value).toBe(2);
    answer(true);
    await settle();
    expect(result.current.value).toBe(2);
  });

  it('goes by the last of several, in order', async () => {
    const { result } = setUp();
    await settle();
    act(() => { result.current.mutate(2); });
    await settle();
    const first = answer;
    act(() => { result.current.mutate(3); });
    await settle();
    expect(result.current.value).toBe(3);
    first(false);
    await settle();
    expect(result.current.value).toBe(3);       // not taken back to 1
    answer(true);
    await settle();
    expect(result.current.value).toBe(3);
    expect(stored).toBe(3);
  });
});

describe('Heart', () => {
  const liked = (id: string, likes: number) => new Response(JSON.stringify({
    results: [{ id, liked: true, likes }],
  }), { headers: { 'Content-Type': 'application/json' } });
  const heart = (id: string) => (
    <Heart id={id} likes={3} title="A room" passing />
  );
  const shown = () => [screen.getByRole('button').getAttribute('aria-pressed'),
                       screen.getByTestId('likes').textContent];

  it('asks when somebody stays, listens when the page is still', async () => {
    const asked: string[] = [];
    vi.stubGlobal('fetch', (url: string) => {
      asked.push(url);
      return Promise.resolve(liked('pexels:1', 4));
    });
    render(heart('pexels:1'), { wrapper });
    await settle(100);
    expect(asked).toEqual([]);
    expect(shown()).toEqual(['false', '3']);
    await settle(200);
    expect(asked).toEqual(['/designs/likes?ids=pexels:1']);
    expect(shown()).toEqual(['true', '4']);

    for (let i = 0; i < 10; i++) {
      window.dispatchEvent(new Event('scroll'));
      await settle(100);
    }
    expect(server.sockets).toHaveLength(0);
    await settle(500);
    expect([...server.socket.subscribed]).toEqual(['design:pexels:1']);
    act(() => { server.publish('design:pexels:1', { likes: 9 }); });
    expect(shown()).toEqual(['true', '9']);
  });

  it('does not ask for what flies past', async () => {
    vi.stubGlobal('fetch', () => { throw new Error('asked'); });
    const { unmount } = render(heart('pexels:2'), { wrapper });
    await settle(100);
    unmount();
    await settle(5000);
    expect(server.sockets).toHaveLength(0);
  });

  it('shows a click at once, and takes it back when it is refused', async () => {
    let refuse = (_: Response) => {};
    vi.stubGlobal('fetch', (url: string) => (url.endsWith('/like')
      ? new Promise((resolve) => { refuse = resolve; })
      : new Promise(() => {})));
    render(heart('pexels:3'), { wrapper });
    act(() => { screen.getByRole('button').click(); });
    await settle();
    expect(shown()).toEqual(['true', '4']);
    refuse(new Response('', { status: 503 }));
    await settle();
    expect(shown()).toEqual(['false', '3']);
    expect(said.map(([, text]) => text)).toEqual(['Update failed']);
  });

  it('does not let an older answer undo a click', async () => {
    let answer = (_: Response) => {};
    vi.stubGlobal('fetch', (url: string) => (url.endsWith('/like')
      ? new Promise(() => {})
      : new Promise((resolve) => { answer = resolve; })));
    render(heart('pexels:4'), { wrapper });
    await settle(300);
    act(() => { screen.getByRole('button').click(); });
    await settle();
    answer(new Response(JSON.stringify({
      results: [{ id: 'pexels:4', liked: false, likes: 3 }],
    }), { headers: { 'Content-Type': 'application/json' } }));
    await settle(1000);
    expect(shown()).toEqual(['true', '4']);
  });

  /* Questions and clicks, in order, each answered when a test says so. */
  function asking(id: string) {
    const questions: ((liked: boolean, likes: number, status?: number) => Promise<void>)[] = [];
    const clicks: typeof questions = [];
    vi.stubGlobal('fetch', (url: string) => new Promise((resolve) => {
      const click = url.endsWith('/like');
      (click ? clicks : questions).push(async (liked, likes, status = 200) => {
        const like = { id, liked, likes };
        resolve(Response.json(click ? like : { results: [like] }, { status }));
        await settle();
      });
    }));
    return { questions, clicks };
  }

  it('asks again for what could not be had', async () => {
    const { questions } = asking('pexels:5');
    const { unmount } = render(heart('pexels:5'), { wrapper });
    await settle(300);
    await questions[0]?.(true, 4, 429);
    expect(shown()).toEqual(['false', '3']);
    await settle(5000);
    expect(questions).toHaveLength(2);
    await questions[1]?.(true, 4, 503);
    await settle(10_000);
    expect(questions).toHaveLength(3);
    await questions[2]?.(true, 4);
    expect(shown()).toEqual(['true', '4']);
    await settle(120_000);
    expect(questions).toHaveLength(3);

    unmount();
    render(heart('pexels:6'), { wrapper }).unmount();
    const { unmount: leave } = render(heart('pexels:7'), { wrapper });
    await settle(300);
    await questions[3]?.(true, 4, 503);
    leave();
    await settle(120_000);
    expect(questions).toHaveLength(4);          // nobody looks any more
  });

  it('does not ask again for what was refused', async () => {
    const { questions } = asking('pexels:5');
    render(heart('pexels:5'), { wrapper });
    await settle(300);
    await questions[0]?.(true, 4, 403);
    await settle(120_000);
    expect(questions).toHaveLength(1);
  });

  it('asks after a gap, whether it was known or not', async () => {
    const { questions } = asking('pexels:8');
    server.keep = 2;
    server.valueless = true;
    render(heart('pexels:8'), { wrapper });
    await settle(4000);
    server.publish('design:pexels:8', {});
    await questions[0]?.(true, 4, 403);
    const gap = async () => {
      server.socket.end(1006);
      for (let i = 0; i < 5; i++) {
        server.publish('design:pexels:8', {});
      }
      await settle(2000);
    };
    await gap();
    await questions[1]?.(true, 4);
    expect(shown()).toEqual(['true', '4']);
    server.publish('design:pexels:8', {});
    await gap();
    await questions[2]?.(true, 9);
    expect(shown()).toEqual(['true', '9']);
  });

  it('goes by the newest question', async () => {
    const { questions, clicks } = asking('pexels:9');
    render(heart('pexels:9'), { wrapper });
    await settle(300);
    act(() => { screen.getByRole('button').click(); });
    await settle();
    await clicks[0]?.(true, 4);
    act(() => { likesOf(queries).missed('pexels:9'); });
    await settle(100);
    expect(questions).toHaveLength(2);
    await questions[0]?.(false, 3);             // from before the click
    expect(shown()).toEqual(['true', '4']);
    await questions[1]?.(true, 6);
    expect(shown()).toEqual(['true', '6']);
  });

  it('asks about what was missed during a click when that is done', async () => {
    const { questions, clicks } = asking('pexels:10');
    render(heart('pexels:10'), { wrapper });
    await settle(300);
    await questions[0]?.(false, 3);
    act(() => { screen.getByRole('button').click(); });
    await settle();
    act(() => { likesOf(queries).missed('pexels:10'); });
    await settle(100);
    await questions[1]?.(false, 3);
    expect(shown()).toEqual(['true', '4']);
    await clicks[0]?.(true, 4);
    await settle(100);
    expect(questions).toHaveLength(2);
    await questions[1]?.(true, 7);
    expect(shown()).toEqual(['true', '7']);
  });

  it('does not let the answer after a refusal undo a retry', async () => {
    const { questions, clicks } = asking('pexels:11');
    render(heart('pexels:11'), { wrapper });
    await settle(300);
    await questions[0]?.(false, 3);
    act(() => { screen.getByRole('button').click(); });
    await settle();
    await clicks[0]?.(true, 4, 503);
    await settle(100);
    expect(questions).toHaveLength(2);
    const { onClick } = said[0]?.[2]?.action as { onClick: () => void };
    act(onClick);
    await settle();
    await questions[1]?.(false, 3);
    expect(shown()).toEqual(['true', '4']);
    await clicks[1]?.(true, 4);
    expect(shown()).toEqual(['true', '4']);
  });

  it('asks once more when it was told otherwise meanwhile', async () => {
    const { questions } = asking('pexels:12');
    render(heart('pexels:12'), { wrapper });
    await settle(4000);
    act(() => {
      server.publish('design:pexels:12', { likes: 7 });
      server.publish('design:pexels:12', { likes: 8 });
    });
    await settle(100);
    expect(questions).toHaveLength(1);
    await questions[0]?.(true, 3);
    expect(shown()).toEqual(['true', '8']);
    await settle(100);
    await questions[1]?.(true, 8);
    expect(shown()).toEqual(['true', '8']);
    // Known by now: the count is the newest that was told, whatever comes late.
    act(() => { likesOf(queries).missed('pexels:12'); });
    await settle(100);
    act(() => { server.publish('design:pexels:12', { likes: 9 }); });
    expect(shown()).toEqual(['true', '9']);
    await questions[2]?.(true, 9);
    await settle(100);
    expect(questions).toHaveLength(3);
  });

  it('asks again after a failure, though it is known', async () => {
    const { questions } = asking('pexels:13');
    const { unmount } = render(heart('pexels:13'), { wrapper });
    await settle(300);
    await questions[0]?.(true, 4);
    act(() => { likesOf(queries).missed('pexels:13'); });
    await settle(100);
    await questions[1]?.(true, 5, 503);
    await settle(5000);
    expect(questions).toHaveLength(3);
    await questions[2]?.(true, 5);
    expect(shown()).toEqual(['true', '5']);

    // And when it is shown again, if it is not meanwhile.
    act(() => { likesOf(queries).missed('pexels:13'); });
    await settle(100);
    await questions[3]?.(true, 6, 503);
    unmount();
    await settle(5000);
    expect(questions).toHaveLength(4);
    render(heart('pexels:13'), { wrapper });
    await settle(300);
    await questions[4]?.(true, 6);
    expect(shown()).toEqual(['true', '6']);
    await settle(120_000);
    expect(questions).toHaveLength(5);
  });

  it('shows what was told, and asks again, when asking once more fails', async () => {
    const { questions } = asking('pexels:14');
    render(heart('pexels:14'), { wrapper });
    await settle(4000);
    await questions[0]?.(true, 4);
    act(() => { likesOf(queries).missed('pexels:14'); });
    await settle(100);
    act(() => { server.publish('design:pexels:14', { likes: 9 }); });
    await questions[1]?.(true, 4);              // from before it was told
    expect(shown()).toEqual(['true', '9']);
    await settle(100);
    await questions[2]?.(true, 4, 503);
    await settle(5000);
    await questions[3]?.(true, 10);
    expect(shown()).toEqual(['true', '10']);
    await settle(120_000);
    expect(questions).toHaveLength(4);
  });

  it('asks for nothing during the pause after a failure', async () => {
    const { questions } = asking('pexels:15');
    const { unmount } = render(heart('pexels:15'), { wrapper });
    await settle(300);
    await questions[0]?.(true, 4, 429);
    await settle(3000);
    await questions[1]?.(true, 4, 429);         // the next one is in 4 s
    for (let i = 0; i < 10; i++) {
      act(() => { likesOf(queries).told('pexels:15', i); });
      await settle(100);
    }
    unmount();
    render(heart('pexels:15'), { wrapper });
    likesOf(queries).ask('pexels:16');
    await settle(1000);
    expect(questions).toHaveLength(2);
    await settle(3000);
    expect(questions).toHaveLength(3);
    await questions[2]?.(true, 4);
    expect(shown()).toEqual(['true', '4']);
  });

  it('asks again when the network is there again, if it was away', async () => {
    const { questions } = asking('pexels:17');
    const fetched = window.fetch;
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('fetch failed')));
    render(heart('pexels:17'), { wrapper });
    await settle(20_000);
    vi.stubGlobal('fetch', fetched);
    act(() => { window.dispatchEvent(new Event('online')); });
    await settle(100);
    expect(questions).toHaveLength(1);
    await questions[0]?.(true, 4, 503);
    act(() => { window.dispatchEvent(new Event('online')); });
    await settle(100);
    expect(questions).toHaveLength(1);          // the server's pause is its own
    await settle(60_000);
    await questions[1]?.(true, 4);
    expect(shown()).toEqual(['true', '4']);
  });

  it('keeps so many in mind', () => {
    const likes = likesOf(queries);
    const stop = likes.watch('a:0', () => {});
    for (let i = 0; i < 600; i++) {
      likes.set({ id: `a:${i}`, liked: true, likes: i });
    }
    expect(queries.getQueryCache().getAll()).toHaveLength(500);
    expect(likes.get('a:0')).toBeDefined();
    expect(likes.get('a:1')).toBeUndefined();
    expect(likes.get('a:599')).toBeDefined();
    stop();
  });
});

describe('usePerformanceTracking', () => {
  it('counts a render that is longer than a frame, and no other', () => {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const { rerender } = renderHook(({ work }) => {
      usePerformanceTracking('test');
      now += work;
    }, { initialProps: { work: 3 } });
    const before = measures('render_time').length;
    rerender({ work: 16 });
    expect(measures('render_time')).toHaveLength(before);
    rerender({ work: 40 });
    expect(measures('render_time').slice(before).map(({ value }) => value))
      .toEqual([40]);
  });
});
