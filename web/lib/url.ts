'use client';

/*
 * The part of the address after "?": filters, and what is open above a page,
 * stand there, so that a link and the back button say it all.
 */

import { useSearchParams } from 'next/navigation';
import { useCallback } from 'react';
import { forward } from '../hooks/useScrollMemory';

type Changes = Record<string, string | undefined>;

/** The address with these members changed, those that are empty removed. */
export function withChanges(current: string, changes: Changes): string {
  const set = new URLSearchParams(current);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === '') {
      set.delete(name);
    } else {
      set.set(name, value);
    }
  }
  const text = set.toString();
  return text ? `?${text}` : '';
}

export function useQueryParams(): {
  get: (name: string) => string;
  /** push: the back button takes it back. */
  change: (changes: Changes, how: 'push' | 'replace') => void;
  href: (changes: Changes) => string;
} {
  const params = useSearchParams();
  const current = params.toString();

  const href = useCallback((changes: Changes) => (
    `${window.location.pathname}${withChanges(current, changes)}`
  ), [current]);

  const change = useCallback((changes: Changes, how: 'push' | 'replace') => {
    const url = href(changes);
    if (how === 'push') {
      forward();
      window.history.pushState(null, '', url);
    } else {
      window.history.replaceState(null, '', url);
    }
  }, [href]);

  return { get: (name) => params.get(name) ?? '', change, href };
}
