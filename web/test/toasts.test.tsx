// @vitest-environment jsdom

import { act, cleanup, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Dialog } from '../components/Dialog';
import Toasts from '../components/Toasts';
import { tell } from '../lib/toast';

beforeEach(() => {
  vi.stubGlobal('matchMedia', () => ({
    matches: false, addEventListener() {}, removeEventListener() {},
  }));
  HTMLDialogElement.prototype.showModal = function showModal() {
    this.open = true;
  };
  HTMLDialogElement.prototype.close = function close() { this.open = false; };
});

afterEach(cleanup);

function Page({ open }: { open: boolean }) {
  return (
    <>
      <Toasts />
      {open ? <Dialog label="A design" onClose={() => {}}>A design</Dialog> : null}
    </>
  );
}

it('says above a dialog what is said, since all else is out of reach', async () => {
  const { rerender } = render(<Page open={false} />);
  await act(async () => {
    tell('message', 'Connection lost', { duration: Infinity });
    await Promise.resolve();
  });
  const toast = await screen.findByText('Connection lost');
  rerender(<Page open />);
  const dialog = screen.getByRole('dialog');
  expect(dialog.contains(toast)).toBe(true);
  await act(async () => {
    tell('error', 'Update failed', { duration: Infinity });
    await Promise.resolve();
  });
  expect(dialog.contains(await screen.findByText('Update failed'))).toBe(true);
  rerender(<Page open={false} />);
  expect(dialog.isConnected).toBe(false);
  for (const text of ['Connection lost', 'Update failed']) {
    expect(screen.getByText(text).isConnected, text).toBe(true);
  }
  expect(toast.isConnected).toBe(true);
});
