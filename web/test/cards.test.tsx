// @vitest-environment jsdom

/* A card of the wall over what becomes of its design. */

import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, expect, it } from 'vitest';
import { DesignCard } from '../components/DesignCard';
import type { Design } from '../lib/api';

afterEach(cleanup);

const queries = new QueryClient();
const sofa = {
  id: 'pexels:1', source: 'pexels', title: 'A sofa', likes: 3,
  width: 400, height: 300,
} as Design;

function card(design: Design | null | undefined) {
  return (
    <QueryClientProvider client={queries}>
      <DesignCard
        design={design}
        hrefOf={(id) => `/feed?design=${id}`}
        width={270}
        eager={false}
        onOpen={() => {}}
        position={3}
        size={-1}
      />
    </QueryClientProvider>
  );
}

it('is the same element, with its focus, whether its design is there or not', () => {
  const { rerender } = render(card(sofa));
  const article = screen.getByRole('article', { name: 'A sofa' });
  article.focus();
  for (const [design, name] of [[undefined, 'A design on its way'],
                                [sofa, 'A sofa']] as const) {
    rerender(card(design));
    expect(screen.getByRole('article', { name })).toBe(article);
    expect(document.activeElement).toBe(article);
  }
});

it('is busy while its design is on its way, and not when there is none', () => {
  const { rerender } = render(card(undefined));
  const article = screen.getByRole('article', { name: 'A design on its way' });
  expect([article.ariaBusy, article.textContent]).toEqual(['true', '']);
  rerender(card(null));
  expect([article.ariaBusy, article.textContent]).toEqual([null, 'Cannot be shown now']);
  expect(article.getAttribute('aria-label')).toBe('A design that cannot be shown now');
});
