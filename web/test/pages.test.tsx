// @vitest-environment jsdom

/* What a feed has let go of and fetches again. */

import { act, cleanup, renderHook } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { usePages } from '../hooks/usePages';
import type { DesignPage } from '../lib/api';
import { pageOf, type FeedPage } from '../lib/designs';

const SIZE = 60;

/* What a feed's page of that number has. */
function page(feed: string, number: number): DesignPage {
  return {
    next: null, providers: {},
    results: Array.from({ length: SIZE }, (_, i) => (
      { id: `${feed}:${number * SIZE + i}`, width: 100, height: 100 })),
  } as unknown as DesignPage;
}

function many(feed: string, count: number): FeedPage[] {
  return Array.from({ length: count }, (_, i) => (
    pageOf(`/${feed}/${i}`, page(feed, i))));
}

let asked: string[];
let fails: (path: string) => boolean;

async function settle(ms = 0): Promise<void> {
  await act(() => vi.advanceTimersByTimeAsync(ms));
}

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  fails = () => false;
  vi.stubGlobal('fetch', (path: string) => {
    asked.push(path);
    const [, feed, number] = path.split('/');
    return fails(path) ? Promise.reject(new TypeError('fetch failed'))
      : Promise.resolve(Response.json(page(feed ?? '', Number(number))));
  });
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

describe('usePages', () => {
  function setUp(list = many('a', 30)) {
    return renderHook(({ pages }) => usePages(pages),
                      { initialProps: { pages: list } });
  }

  it('asks again for what did not come, and shows it', async () => {
    const { result } = setUp();
    result.current.look(1700, 1720);
    fails = () => true;
    result.current.look(0, 20);
    await settle();
    expect(asked).toEqual(['/a/0', '/a/1']);
    expect(result.current.pages.at(0)).toBeUndefined();
    fails = () => false;
    await settle(5000);
    expect(asked).toEqual(['/a/0', '/a/1', '/a/0', '/a/1']);
    expect(result.current.pages.at(0)?.id).toBe('a:0');
    await settle(11_000);
    expect(asked).toHaveLength(4);
  });

  it('does not ask at each step of whoever scrolls on', async () => {
    const { result } = setUp();
    result.current.look(1700, 1720);
    fails = (path) => ['/a/0', '/a/1'].includes(path);
    for (let i = 0; i < 48; i++) {
      result.current.look(i % 20, i % 20 + 20);
      await settle(100);
    }
    expect(asked).toEqual(['/a/0', '/a/1']);
    result.current.look(60, 80);                // others are asked for at once
    await settle();
    expect(asked).toEqual(['/a/0', '/a/1', '/a/2']);
    await settle(5000);
    expect(asked).toEqual(['/a/0', '/a/1', '/a/2', '/a/0', '/a/1']);
  });

  it('comes again when the server says, not before', async () => {
    const { result } = setUp();
    result.current.look(1700, 1720);
    const { fetch } = globalThis;
    vi.stubGlobal('fetch', (path: string) => {
      asked.push(path);
      return Promise.resolve(Response.json({}, {
        status: 503, headers: { 'Retry-After': '30' },
      }));
    });
    result.current.look(0, 20);
    await settle(29_000);
    result.current.look(1, 21);
    expect(asked).toEqual(['/a/0', '/a/1']);
    vi.stubGlobal('fetch', fetch);
    await settle(1000);
    expect(result.current.pages.at(0)?.id).toBe('a:0');
  });

  it('asks at once when a feed is shown again', async () => {
    const list = many('a', 30);
    const { result, rerender } = setUp(list);
    result.current.look(1700, 1720);
    fails = () => true;
    result.current.look(0, 20);
    await settle();
    rerender({ pages: many('b', 1) });
    fails = () => false;
    rerender({ pages: list });
    result.current.look(0, 20);
    await settle();
    expect(asked).toEqual(['/a/0', '/a/1', '/a/0', '/a/1']);
    expect(result.current.pages.at(0)?.id).toBe('a:0');
  });

  it('asks for what is in the window by then, and lets go of nothing there',
     async () => {
       const { result } = setUp();
       result.current.look(1700, 1720);
       fails = (path) => ['/a/0', '/a/1'].includes(path);
       result.current.look(0, 20);
       // Scrolled on before the two have failed: both are late.
       result.current.look(1700, 1720);
       await settle();
       await settle(11_000);
       expect(result.current.pages.at(1710)?.id).toBe('a:1710');
       expect(asked).toEqual(['/a/0', '/a/1', '/a/27', '/a/28', '/a/29']);
     });

  it('asks for nothing when it is gone', async () => {
    const { result, unmount } = setUp();
    result.current.look(1700, 1720);
    fails = () => true;
    result.current.look(0, 20);
    unmount();
    await settle();
    await settle(11_000);
    expect(asked).toEqual(['/a/0', '/a/1']);
  });

  it('asks for nothing of a feed that was left', async () => {
    const { result, rerender } = setUp();
    result.current.look(1700, 1720);
    fails = () => true;
    result.current.look(0, 20);
    const other = many('b', 30);
    rerender({ pages: other });
    result.current.look(1700, 1720);
    await settle();
    await settle(11_000);
    expect(asked).toEqual(['/a/0', '/a/1']);
    expect(result.current.pages.at(1710)?.id).toBe('b:1710');
  });

  /* The server has lost the feed; it knows single designs, as status says. */
  async function lost(others: string[], status: (id: string) => number) {
    const { result } = setUp();
    const alone: string[] = [];
    result.current.look(1700, 1720);
    vi.stubGlobal('fetch', (path: string) => {
      const [, id] = /^\/designs\/(.*)/.exec(path) ?? [];
      if (id === undefined) {
        return Promise.resolve(Response.json({
          next: null, providers: {}, restarted: true,
          results: others.map((other) => ({ id: other })),
        }));
      }
      alone.push(id);
      return Promise.resolve(Response.json({ id }, { status: status(id) }));
    });
    const at = (i: number) => {
      const design = result.current.pages.at(i);
      return design && design.id;
    };
    result.current.look(0, 20);
    await settle();
    return { result, alone, at };
  }
  const numbers = Array.from({ length: 21 }, (_, i) => i);

  it.each([
    ['is another', ['a:5', 'x:0', 'x:1']],
    ['is empty', []],
  ])('asks one by one for what is in the window, when a page %s', async (_how, others) => {
    const { alone, at } = await lost(others, (id) => (id === 'a:1' ? 404 : 200));
    expect([at(0), at(20)]).toEqual(['a:0', undefined]);
    for (let i = 0; i < 10; i++) {
      const before = alone.length;
      await settle(1000);
      expect(alone.length - before).toBeLessThan(8);    // in a second
    }
    expect(numbers.map(at)).toEqual(numbers.map((i) => (i === 1 ? null : `a:${i}`)));
    expect(at(21)).toBeUndefined();
    expect(alone).toEqual(numbers.map((i) => `a:${i}`).filter((id) => !others.includes(id)));
  });

  it('takes no failure for an answer, and goes on later where the reader is', async () => {
    let status = 429;
    const { result, alone, at } = await lost([], () => status);
    expect([alone, at(0)]).toEqual([['a:0'], undefined]);
    for (let i = 0; i < 48; i++) {
      result.current.look(i % 20, i % 20 + 20);
      await settle(100);
    }
    expect(alone).toEqual(['a:0']);
    status = 200;
    result.current.look(1, 3);
    await settle(5000);
    expect([0, 1, 2, 3, 4].map(at)).toEqual([undefined, 'a:1', 'a:2', 'a:3', undefined]);
  });

  it('asks for few at a time', async () => {
    const { result, alone } = await lost([], () => 200);
    vi.stubGlobal('fetch', (path: string) => {
      alone.push(path);
      return new Promise(() => {});
    });
    await settle(10_000);
    expect(alone).toHaveLength(4);      // and one before
    result.current.look(3, 20);
    await settle(10_000);
    expect(alone).toHaveLength(4);
  });

  it('keeps the longest pause that it was told of', async () => {
    const { alone } = await lost([], () => 200);
    let count = 0;
    vi.stubGlobal('fetch', (path: string) => new Promise((resolve) => {
      const first = count++ === 0;
      alone.push(path);
      const answer = Response.json({}, {
        status: 429, headers: first ? { 'Retry-After': '30' } : {},
      });
      setTimeout(() => { resolve(answer); }, first ? 400 : 600);
    }));
    await settle(25_000);
    expect(alone).toHaveLength(4);      // and one before
    await settle(10_000);
    expect(alone.length).toBeGreaterThan(4);
  });

  it('asks for no design when it is gone', async () => {
    const { result, unmount } = setUp();
    result.current.look(1700, 1720);
    vi.stubGlobal('fetch', (path: string) => {
      asked.push(path);
      return Promise.resolve(Response.json({ next: null, providers: {}, results: [] }));
    });
    result.current.look(0, 20);
    unmount();
    await settle(10_000);
    expect(asked).toEqual(['/a/0', '/a/1']);
  });
});
