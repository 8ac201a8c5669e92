// @vitest-environment jsdom

/* Components whose scripts come later, or do not. */

import { act, cleanup, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Fence } from '../components/Fence';
import { later } from '../components/later';

afterEach(cleanup);

interface Props { text: string }

/* One whose script is had, or not, when a test says so. */
function setUp() {
  const asked: ((comes: boolean) => Promise<void>)[] = [];
  const Part = later<Props>(() => new Promise((resolve, reject) => {
    asked.push((comes) => act(async () => {
      if (comes) {
        resolve(({ text }) => <p>{text}</p>);
      } else {
        reject(new Error('Loading chunk 1 failed'));
      }
      await Promise.resolve();
    }));
  }), <p>waiting</p>, ({ text, again, trying }) => (
    <button type="button" onClick={again}>{`${text}: ${trying ? 'trying' : 'failed'}`}</button>
  ));
  return { asked, Part };
}

describe('later', () => {
  it('shows it when it has come, once for all', async () => {
    const { asked, Part } = setUp();
    const { container, unmount } = render(<><Part text="one" /><Part text="two" /></>);
    expect(container.textContent).toBe('waitingwaiting');
    await asked[0]?.(true);
    expect(container.textContent).toBe('onetwo');
    unmount();
    expect(render(<Part text="three" />).container.textContent).toBe('three');
    expect(asked).toHaveLength(1);
  });

  it('says that it did not come, until a click has brought it', async () => {
    const { asked, Part } = setUp();
    const { container } = render(<Part text="one" />);
    await asked[0]?.(false);
    expect(container.textContent).toBe('one: failed');
    act(() => { screen.getByRole('button').click(); });
    act(() => { screen.getByRole('button').click(); });
    expect(container.textContent).toBe('one: trying');
    await asked[1]?.(false);
    expect(container.textContent).toBe('one: failed');
    act(() => { screen.getByRole('button').click(); });
    await asked[2]?.(true);
    expect(container.textContent).toBe('one');
    expect(asked).toHaveLength(3);
  });

  it('tries by itself when the browser is online again', async () => {
    const { asked, Part } = setUp();
    const { container } = render(<Part text="one" />);
    await asked[0]?.(false);
    act(() => { window.dispatchEvent(new Event('online')); });
    await asked[1]?.(true);
    expect(container.textContent).toBe('one');
    expect(asked).toHaveLength(2);
  });

  it('does not try for somebody who is gone', async () => {
    const { asked, Part } = setUp();
    const { unmount } = render(<Part text="one" />);
    await asked[0]?.(false);
    unmount();
    window.dispatchEvent(new Event('online'));
    expect(asked).toHaveLength(1);
  });

  it('keeps no failure that nobody has seen', async () => {
    const { asked, Part } = setUp();
    Part.begin();
    await asked[0]?.(false);
    const { container, unmount } = render(<Part text="one" />);
    expect(container.textContent).toBe('waiting');
    await asked[1]?.(false);
    unmount();
    expect(render(<Part text="two" />).container.textContent).toBe('waiting');
    await asked[2]?.(true);
    expect(screen.getByText('two')).toBeDefined();
  });

  it('waits for what was begun before', async () => {
    const { asked, Part } = setUp();
    Part.begin();
    const { container } = render(<Part text="one" />);
    await asked[0]?.(true);
    expect(container.textContent).toBe('one');
    expect(asked).toHaveLength(1);
  });
});

describe('a page that cannot be shown', () => {
  const broken: { error: Error | undefined } = { error: undefined };
  function Page() {
    if (broken.error) {
      throw broken.error;
    }
    return <p>page</p>;
  }
  const fenced = (page: string) => <Fence page={page}><Page /></Fence>;
  const buttons = () => screen.queryAllByRole('button')
    .map(({ textContent }) => textContent);

  // React says on the console what it has caught.
  beforeEach(() => { vi.spyOn(console, 'error').mockImplementation(() => {}); });
  afterEach(() => { vi.restoreAllMocks(); });

  it('is tried again', () => {
    broken.error = new Error('x');
    render(fenced('/'));
    expect(screen.getByRole('alert').textContent).toContain('This page cannot be shown');
    broken.error = undefined;
    act(() => { screen.getByRole('button', { name: 'Try again' }).click(); });
    expect(screen.getByText('page')).toBeTruthy();
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('is to be begun anew if its script did not come', () => {
    for (const error of [
      Object.assign(new Error('x'), { name: 'ChunkLoadError' }),
      Object.assign(new Error('x'), { code: 'CSS_CHUNK_LOAD_FAILED' }),
    ]) {
      broken.error = error;
      const { unmount } = render(fenced('/'));
      expect(buttons()).toEqual(['Reload the page']);
      unmount();
    }
  });

  it('is in the way of no other one', () => {
    broken.error = new Error('x');
    const { rerender } = render(fenced('/'));
    broken.error = undefined;
    rerender(fenced('/feed'));
    expect(screen.getByText('page')).toBeTruthy();
  });

  it("leaves to Next what is Next's", () => {
    broken.error = Object.assign(new Error('x'), { digest: 'NEXT_NOT_FOUND' });
    expect(() => { render(fenced('/')); }).toThrow('x');
  });
});
