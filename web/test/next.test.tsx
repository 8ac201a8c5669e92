// @vitest-environment jsdom

/* Pages of lists that do not come. */

import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, cleanup, render, screen } from '@testing-library/react';
import type { ReactNode } from 'react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Feed } from '../components/Feed';
import { Likes } from '../components/Likes';
import { Shop } from '../components/Shop';

vi.mock('next/navigation', () => ({
  useSearchParams: () => new URLSearchParams(),
}));
vi.mock('../lib/live-client', () => ({
  live: () => ({ subscribe: () => () => {} }),
}));

/* Whatever there is, is near the window. */
class Observer {
  constructor(private readonly changed: (entries: object[]) => void) {}
  observe() {
    setTimeout(() => { this.changed([{ isIntersecting: true }]); });
  }
  unobserve() {}
  disconnect() {}
}

let queries: QueryClient;

beforeEach(async () => {
  await Promise.all([import('../components/Wall'), import('../components/DesignDialog')]);
  vi.useFakeTimers();
  vi.stubGlobal('IntersectionObserver', Observer);
  vi.stubGlobal('ResizeObserver', Observer);
  vi.stubGlobal('scrollTo', () => {});
  queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
});

afterEach(() => {
  cleanup();
  queries.clear();
  vi.useRealTimers();
});

async function settle(ms = 0): Promise<void> {
  await act(() => vi.advanceTimersByTimeAsync(ms));
}

const design = (n: number) => ({
  id: `a:${n}`, source: 'pexels', title: `Room ${n}`, likes: 1, width: 4, height: 3,
});
const product = (n: number) => ({
  id: `p${n}`, retailer: 'ikea', title: `Sofa ${n}`, price: '10', currency: 'INR',
  productUrl: '', inStock: true,
});

it.each<[string, ReactNode, RegExp, RegExp, (n: number) => object]>([
  ['likes', <Likes key="" />, /^\/designs\/likes\?perPage=100$/, /^\/more$/,
   (n) => ({ results: [{ id: `a:${n}`, liked: true, likes: 1, design: design(n) }] })],
  ['the feed', <Feed key="" />, /^\/designs\?perPage/, /^\/more$/,
   (n) => ({ results: [design(n)], providers: {} })],
  ['the shop', <Shop key="" />, /^\/products\?page=1&/, /^\/products\?page=2&/,
   (n) => ({ results: [product(n)], total: 60, facets: {} })],
])('is asked for once, and again by a click: %s', async (_name, page, first, more, at) => {
  let asked = 0;
  let status = 429;
  vi.stubGlobal('fetch', (path: string) => {
    if (first.test(path)) {
      return Promise.resolve(Response.json({ ...at(1), next: '/more' }));
    }
    if (!more.test(path)) {
      return new Promise(() => {});
    }
    asked++;
    return new Promise((resolve) => {
      const answer = Response.json({ ...at(2), next: null }, { status });
      setTimeout(() => { resolve(answer); }, 100);
    });
  });
  render(<QueryClientProvider client={queries}>{page}</QueryClientProvider>);
  await settle(10_000);
  expect(asked).toBe(1);
  expect(screen.getByText(/The next page did not come/)).toBeTruthy();
  expect(screen.queryByRole('alert')).toBeNull();

  const again = screen.getByRole('button', { name: 'Try again' });
  again.focus();
  act(() => { again.click(); });
  await settle(10_000);
  expect(asked).toBe(2);
  expect(document.activeElement).toBe(again);
  status = 200;
  act(() => { again.click(); });
  await settle(10_000);
  expect(asked).toBe(3);
  expect(screen.queryByText(/The next page did not come/)).toBeNull();
});

it('is no alarm when somebody comes back to the likes', async () => {
  let slow = false;
  vi.stubGlobal('fetch', (path: string) => new Promise((resolve) => {
    const first = path.startsWith('/designs/likes?perPage');
    const answer = Response.json({
      results: [{ id: 'a:1', liked: true, likes: 1, design: design(1) }],
      next: '/more',
    }, { status: first ? 200 : 429 });
    setTimeout(() => { resolve(answer); }, first && slow ? 1000 : 0);
  }));
  const page = <QueryClientProvider client={queries}><Likes /></QueryClientProvider>;
  const { unmount } = render(page);
  await settle(10_000);
  expect(screen.getByText(/The next page did not come/)).toBeTruthy();
  unmount();
  slow = true;
  render(page);
  await settle(500);
  expect(screen.queryByRole('alert')).toBeNull();
});

it('is asked for again when the shop could not tell what is new', async () => {
  let asked = 0;
  vi.stubGlobal('fetch', (path: string) => (/^\/products\?page=1&/.test(path)
    ? Promise.resolve(Response.json(
      { results: [product(1)], total: 1, facets: {}, refreshing: ++asked < 3 },
      { status: asked === 2 ? 429 : 200 }))
    : new Promise(() => {})));
  render(<QueryClientProvider client={queries}><Shop /></QueryClientProvider>);
  await settle(4000);
  expect(asked).toBe(2);
  await settle(30_000);
  expect(asked).toBe(3);
});
