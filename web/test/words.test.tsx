// @vitest-environment jsdom

import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, cleanup, render, screen } from '@testing-library/react';
import type { ReactNode } from 'react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DesignDialog } from '../components/DesignDialog';
import { Feed } from '../components/Feed';

vi.mock('next/navigation', () => ({
  useSearchParams: () => new URLSearchParams(),
}));

beforeEach(() => {
  vi.useFakeTimers();
  HTMLDialogElement.prototype.showModal = function showModal() {
    this.open = true;
  };
  HTMLDialogElement.prototype.close = function close() { this.open = false; };
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify({
    status: 503, code: 'storage_unavailable',
    detail: 'It cannot be read now; send the request again after the time in '
      + 'Retry-After.',
  }), { status: 503, headers: { 'Content-Type': 'application/problem+json' } })));
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

it.each<[string, ReactNode]>([
  ['a design', <DesignDialog key="" id="pexels:1" known={undefined} link="/" onClose={() => {}} />],
  ['the feed', <Feed key="" />],
])('does not say to people what is said to programs: %s', async (_name, page) => {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  render(<QueryClientProvider client={queries}>{page}</QueryClientProvider>);
  await act(() => vi.advanceTimersByTimeAsync(100));
  const { textContent } = screen.getByRole('alert');
  expect(textContent).toMatch(/Try again in a few seconds/);
  expect(textContent).not.toMatch(/Retry-After/);
  queries.clear();
});
