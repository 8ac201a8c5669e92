// @vitest-environment jsdom

import { act, cleanup, render } from '@testing-library/react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { useScrollMemory } from '../hooks/useScrollMemory';
import { useQueryParams } from '../lib/url';

/* What tells pages of a new address. */
let told = () => {};

vi.mock('next/navigation', async () => {
  const { useSyncExternalStore } = await import('react');
  return {
    useSearchParams: () => new URLSearchParams(useSyncExternalStore(
      (changed) => {
        told = changed;
        return () => { told = () => {}; };
      },
      () => window.location.search,
    )),
  };
});

let change: ReturnType<typeof useQueryParams>['change'];

function Page({ name, ready = true }: { name: string; ready?: boolean }) {
  const params = useQueryParams();
  ({ change } = params);
  useScrollMemory(`${name}:${params.get('color')}`, ready);
  return <a href="#there">There</a>;
}

function frames(): void {
  act(() => { vi.advanceTimersByTime(100); });
}

function scroll(top: number): void {
  window.scrollTo(0, top);
  window.dispatchEvent(new Event('scroll'));
}

function choose(color: string, more = {}): void {
  act(() => {
    change({ color, ...more }, 'push');
    told();
  });
  frames();
}

/* The back button, which leads there. */
function back(url: string): void {
  act(() => {
    window.history.replaceState(null, '', url);
    window.dispatchEvent(new PopStateEvent('popstate'));
    told();
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('scrollTo', (_left: number, top: number) => {
    window.scrollY = top;
  });
  window.scrollY = 0;
  window.history.replaceState(null, '', '/feed');
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

it('leads back to where the reader was', () => {
  render(<Page name="back" />);
  scroll(5000);
  choose('red');
  scroll(0);
  back('/feed');
  frames();
  expect(window.scrollY).toBe(5000);
});

it('waits until the page has its height', () => {
  const { rerender } = render(<Page name="later" />);
  scroll(5000);
  choose('red');
  scroll(0);
  rerender(<Page name="later" ready={false} />);
  back('/feed');
  scroll(300);          // what the browser tries by itself
  frames();
  expect(window.scrollY).toBe(300);
  rerender(<Page name="later" />);
  frames();
  expect(window.scrollY).toBe(5000);
});

it('leads nowhere when back has only closed what was open', () => {
  render(<Page name="closed" />);
  choose('red');
  scroll(5000);
  choose('');
  choose('', { design: 'a' });
  scroll(40);
  back('/feed');
  frames();
  choose('red');
  expect(window.scrollY).toBe(40);
});

it('leads nowhere when a link is followed', () => {
  const { rerender, getByText } = render(<Page name="link" />);
  scroll(5000);
  rerender(<Page name="other" />);
  scroll(0);
  back('/other');
  act(() => { getByText('There').click(); });
  rerender(<Page name="link" />);
  frames();
  expect(window.scrollY).toBe(0);
});

it('lets go of a place that was not ready in time', () => {
  const { rerender } = render(<Page name="slow" />);
  scroll(5000);
  choose('red');
  scroll(0);
  rerender(<Page name="slow" ready={false} />);
  back('/feed');
  choose('blue');
  rerender(<Page name="slow" />);
  frames();
  expect(window.scrollY).toBe(0);
});

it('scrolls no other page', () => {
  const { unmount } = render(<Page name="left" />);
  scroll(5000);
  choose('red');
  scroll(0);
  back('/feed');
  unmount();
  frames();
  expect(window.scrollY).toBe(0);
});
