// @vitest-environment jsdom

/* Components whose scripts come later, or do not. */

import { act, cleanup, render, screen } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import Failed from '../app/error';
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
  it('is tried again', () => {
    const reset = vi.fn();
    render(<Failed error={new Error('x')} reset={reset} />);
    expect(screen.getByRole('alert').textContent).toContain('This page cannot be shown');
    screen.getByRole('button', { name: 'Try again' }).click();
    expect(reset).toHaveBeenCalledTimes(1);
  });

  it('is to be begun anew if its script did not come', () => {
    for (const error of [
      Object.assign(new Error('x'), { name: 'ChunkLoadError' }),
      Object.assign(new Error('x'), { code: 'CSS_CHUNK_LOAD_FAILED' }),
    ]) {
      const { unmount } = render(<Failed error={error} reset={() => {}} />);
      expect(screen.getAllByRole('button').map(({ textContent }) => textContent))
        .toEqual(['Reload the page']);
      unmount();
    }
  });
});
