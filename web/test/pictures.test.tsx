// @vitest-environment jsdom

import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, cleanup, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pictures } from '../components/Pictures';
import { LiveClient } from '../lib/live';
import { FakeServer, FakeWindow } from './fake-server';

const said: string[] = [];
let server: FakeServer;
let client: LiveClient;
let queries: QueryClient;

vi.mock('../lib/live-client', () => ({ live: () => client }));
vi.mock('../lib/toast', () => ({
  tell: (_kind: string, text: string) => { said.push(text); },
}));

/* As Next does it: pages hear of a new address some time after it is there. */
vi.mock('next/navigation', async () => {
  const { useSyncExternalStore } = await import('react');
  let heard = '';
  return {
    useSearchParams: () => new URLSearchParams(useSyncExternalStore(
      (changed) => {
        heard = window.location.search;
        const timer = setInterval(() => {
          if (heard !== window.location.search) {
            heard = window.location.search;
            changed();
          }
        }, 50);
        return () => { clearInterval(timer); };
      },
      () => heard,
    )),
  };
});

type Row = Record<string, unknown> & { id: string; status: string };

const done = (id: string): Row => ({
  id, status: 'done', url: `/generated/${id}.png`, width: 3, height: 2,
  prompt: `room ${id}`,
});
const queued = (id: string): Row => ({
  id, status: 'queued', position: 1, prompt: `room ${id}`,
});

let rows: Row[];
let calls: string[];
let fail: (path: string) => boolean;
let hold: ((path: string) => boolean) | undefined;
let release: () => void;

/* Pages of two, by the cursor of the server. */
function answer(url: string, method: string): [number, object] {
  const { pathname, searchParams } = new URL(url, 'http://shop.example');
  const id = pathname.slice('/generate/'.length);
  if (fail(url)) {
    return [503, {}];
  }
  if (method === 'DELETE') {
    rows = rows.filter((one) => one.id !== id);
    return [204, {}];
  }
  if (id !== '') {
    const row = rows.find((one) => one.id === id);
    return row ? [200, row] : [404, {}];
  }
  const before = searchParams.get('before');
  const from = before === null
    ? 0 : rows.findIndex((one) => one.id === before) + 1;
  const results = rows.slice(from, from + 2);
  return [200, {
    results, hasNext: rows.length > from + 2,
    next: rows.length > from + 2
      ? `/generate?perPage=2&before=${results[1]?.id}` : null,
  }];
}

async function settle(ms = 0): Promise<void> {
  await act(() => vi.advanceTimersByTimeAsync(ms));
}

const names = () => screen.queryAllByRole('listitem')
  .map((one) => /room \w+/.exec(one.innerHTML)?.[0]);
const press = async (name: string | RegExp) => {
  act(() => { screen.getByRole('button', { name }).click(); });
  await settle();
};

async function show(): Promise<() => void> {
  const { unmount } = render(
    <QueryClientProvider client={queries}><Pictures /></QueryClientProvider>);
  await settle();
  return unmount;
}

/* Live messages that nobody can be told any more. */
async function gap(channel: string): Promise<void> {
  server.socket.end(1006);
  for (let n = 0; n < 5; n++) {
    server.publish(channel, queued(channel.slice('generate:'.length)));
  }
  await settle(2000);
}

beforeEach(() => {
  vi.useFakeTimers();
  said.length = 0;
  rows = [];
  calls = [];
  fail = () => false;
  hold = undefined;
  server = new FakeServer();
  queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  client = new LiveClient({
    url: 'http://shop.example/live', open: server.open,
    surroundings: new FakeWindow(), random: () => 0.5,
  });
  window.history.replaceState(null, '', '/pictures');
  localStorage.clear();
  HTMLDialogElement.prototype.showModal = function showModal() {
    this.open = true;
  };
  HTMLDialogElement.prototype.close = function close() { this.open = false; };
  vi.stubGlobal('fetch', async (url: string, init: RequestInit = {}) => {
    const method = init.method ?? 'GET';
    calls.push(`${method} ${url}`);
    const [status, body] = answer(url, method);
    if (hold?.(url)) {
      await new Promise<void>((resolve) => { release = resolve; });
    }
    return new Response(
      status === 204 ? null : JSON.stringify(body),
      { status, headers: { 'Content-Type': 'application/json' } });
  });
});

afterEach(() => {
  cleanup();
  client.close();
  queries.clear();
  vi.useRealTimers();
});

describe('Pictures', () => {
  it('shows page after page', async () => {
    rows = ['a', 'b', 'c', 'd', 'e'].map(done);
    await show();
    expect(names()).toEqual(['room a', 'room b']);
    await press('Show more');
    expect(names()).toEqual(['room a', 'room b', 'room c', 'room d']);
    await press('Show more');
    expect(names()).toHaveLength(5);
    expect(screen.queryByText('Show more')).toBeNull();
    expect(calls).toEqual(['GET /generate', 'GET /generate?perPage=2&before=b',
                           'GET /generate?perPage=2&before=d']);
  });

  it('keeps what is there when no more can be had', async () => {
    rows = ['a', 'b', 'c'].map(done);
    await show();
    fail = (url) => url.includes('before');
    await press('Show more');
    expect(names()).toEqual(['room a', 'room b']);
    expect(said).toEqual(['No more can be shown just now']);
    expect(screen.queryByRole('alert')).toBeNull();
    fail = () => false;
    await press('Show more');
    expect(names()).toHaveLength(3);
  });

  it('asks for what was too long to be told, and keeps all pages', async () => {
    rows = [queued('a'), ...['b', 'c', 'd'].map(done)];
    await show();
    await press('Show more');
    await press(/room c/);
    await settle(100);
    rows[0] = done('a');
    act(() => {
      server.publish('generate:a', { id: 'a', status: 'done', url: rows[0]?.url });
    });
    await settle();
    expect(names()).toEqual(['room a', 'room b', 'room c', 'room d']);
    expect(screen.getByAltText('room a').getAttribute('width')).toBe('3');
    expect(screen.getByRole('button', { name: 'Remove' })).toBeTruthy();
  });

  it('finds what is new after a gap by one page, and keeps all', async () => {
    server.keep = 2;
    server.publish('generate:b', queued('b'));
    rows = [done('a'), queued('b'), ...['c', 'd', 'e'].map(done)];
    await show();
    await press('Show more');
    expect(names()).toHaveLength(4);
    calls = [];
    rows = [done('new'), done('a'), done('b'), ...['c', 'd', 'e'].map(done)];
    await gap('generate:b');
    expect(calls).toEqual(['GET /generate/b', 'GET /generate']);
    expect(names())
      .toEqual(['room new', 'room a', 'room b', 'room c', 'room d']);
    expect(screen.getByAltText('room b')).toBeTruthy();
    await press('Show more');
    expect(names()).toHaveLength(6);
  });

  it('finds it also if more is asked for meanwhile', async () => {
    server.keep = 2;
    server.publish('generate:b', queued('b'));
    rows = [done('a'), queued('b'), ...['c', 'd'].map(done)];
    await show();
    hold = (path) => path.includes('before');
    await press('Show more');
    expect(screen.getByRole('button', { name: 'Show more' })
      .getAttribute('aria-disabled')).toBe('true');
    const before = calls.length;
    await press('Show more');
    expect(calls).toHaveLength(before);
    rows = [done('new'), ...rows];
    await gap('generate:b');
    release();
    await settle();
    expect(names())
      .toEqual(['room new', 'room a', 'room b', 'room c', 'room d']);
    expect(screen.queryByText('Show more')).toBeNull();
  });

  it('believes news that came while the list was read', async () => {
    rows = [queued('a'), done('b')];
    await show();
    hold = (path) => path === '/generate';
    void queries.invalidateQueries({ queryKey: ['generations'] });
    await settle();
    rows = [done('a'), done('b')];
    act(() => { server.publish('generate:a', done('a')); });
    await settle();
    release();
    await settle();
    expect(screen.getByAltText('room a')).toBeTruthy();
  });

  it('asks for one page on each visit, whatever was shown before', async () => {
    rows = ['a', 'b', 'c', 'd', 'e', 'f'].map(done);
    const leave = await show();
    await press('Show more');
    await press('Show more');
    expect(names()).toHaveLength(6);
    leave();
    calls = [];
    rows = ['new', 'a', 'b', 'c', 'e', 'f'].map(done);
    const again = await show();
    expect(calls).toEqual(['GET /generate']);
    expect(names()).toEqual(['room new', 'room a', 'room b']);
    await press('Show more');
    expect(names())
      .toEqual(['room new', 'room a', 'room b', 'room c', 'room e']);
    again();
    rows = ['a', 'c', 'e', 'f'].map(done);
    await show();
    expect(names()).toEqual(['room a', 'room c']);
  });

  it('leaves no hole where more is new than a page', async () => {
    rows = ['a', 'b', 'c', 'd'].map(done);
    await show();
    await press('Show more');
    rows = [...['x', 'y', 'z'].map(done), ...rows];
    void queries.invalidateQueries({ queryKey: ['generations'] });
    await settle();
    expect(names()).toEqual(['room x', 'room y']);
    await press('Show more');
    await press('Show more');
    await press('Show more');
    expect(names()).toEqual(rows.map(({ id }) => `room ${id}`));
  });

  it('keeps what is there when it cannot be looked up anew', async () => {
    rows = ['a', 'b', 'c'].map(done);
    localStorage.setItem('atelier.pictures', JSON.stringify([done('b')]));
    await show();
    await press('Show more');
    fail = () => true;
    void queries.invalidateQueries({ queryKey: ['generations'] });
    await settle();
    expect(names()).toEqual(['room a', 'room b', 'room c']);
    expect(screen.getByRole('alert').textContent).toContain('cannot be listed');
  });

  it('shows what this browser remembers while nothing can be had', async () => {
    localStorage.setItem('atelier.pictures', JSON.stringify([done('b')]));
    fail = () => true;
    await show();
    expect(names()).toEqual(['room b']);
  });

  it('asks for none that was removed, and leaves the focus', async () => {
    rows = ['a', 'b'].map(done);
    await show();
    await press(/room a/);
    await settle(100);
    await press('Remove');
    calls = [];
    await press('Really remove it');
    expect(screen.queryByRole('dialog')).toBeNull();
    await settle(100);
    expect(calls).toEqual(['DELETE /generate/a']);
    expect(names()).toEqual(['room b']);
    expect(screen.queryByText('This picture cannot be found')).toBeNull();
    expect(document.activeElement?.tagName).toBe('H1');
    expect(window.location.search).toBe('');
  });

  it('says that one is being removed or cancelled', async () => {
    rows = [done('a'), queued('b')];
    await show();
    for (const [row, ...words] of [
      ['a', 'Remove', 'Really remove it', 'Removing'],
      ['b', 'Cancel', 'Cancelling'],
    ] as [string, ...string[]][]) {
      await press(new RegExp(`room ${row}`));
      await settle(100);
      hold = (path) => path === `/generate/${row}`;
      calls = [];
      for (const word of words) {
        await press(word);
      }
      expect(calls).toEqual([`DELETE /generate/${row}`]);
      release();
      await settle(100);
      expect(screen.queryByRole('dialog')).toBeNull();
    }
    expect(names()).toEqual([]);
  });

  it('disturbs nobody who has gone on before one was removed', async () => {
    rows = ['a', 'b'].map(done);
    await show();
    await press(/room a/);
    await settle(100);
    hold = (path) => path === '/generate/a';
    await press('Remove');
    await press('Really remove it');
    window.history.replaceState(null, '', '/pictures?picture=b');
    await settle(100);
    release();
    await settle(100);
    expect(names()).toEqual(['room b']);
    expect(window.location.search).toBe('?picture=b');
    expect(screen.getByRole('dialog')).toBeTruthy();
  });

  it('opens one beyond the first page once for who comes back', async () => {
    rows = ['a', 'b', 'c', 'd'].map(done);
    const leave = await show();
    await press('Show more');
    window.history.replaceState(null, '', '/pictures?picture=d');
    await settle(100);
    leave();
    const opened = vi.spyOn(HTMLDialogElement.prototype, 'showModal');
    await show();
    await settle(100);
    expect(opened).toHaveBeenCalledTimes(1);
    expect(names()).toEqual(['room a', 'room b']);
  });

  it('does not bring back what is removed while the list is read', async () => {
    rows = ['a', 'b'].map(done);
    await show();
    await press(/room a/);
    await settle(100);
    await press('Remove');
    hold = (path) => path === '/generate';
    void queries.invalidateQueries({ queryKey: ['generations'] });
    await settle();
    hold = undefined;
    rows = [done('new'), ...rows];
    await press('Really remove it');
    release();
    await settle(100);
    expect(names()).toEqual(['room new', 'room b']);
  });

  it('says above all else that one could not be removed', async () => {
    rows = [done('a'), queued('b')];
    await show();
    for (const [row, words] of [['a', /could not be removed/],
                                ['b', /could not be cancelled/]] as const) {
      fail = () => false;
      await press(new RegExp(`room ${row}`));
      await settle(100);
      fail = (url) => url === `/generate/${row}`;
      await press(/^(Remove|Cancel)$/);
      if (row === 'a') {
        await press('Really remove it');
      }
      const alert = screen.getByRole('alert');
      expect(screen.getByRole('dialog').contains(alert)).toBe(true);
      expect(alert.textContent).toMatch(words);
      expect(alert.textContent).toMatch(/Try again in a few seconds/);
      await press('Close');
      await settle(100);
    }
    expect(names()).toEqual(['room a', 'room b']);
  });
});
