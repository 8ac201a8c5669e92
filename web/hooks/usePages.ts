'use client';

import { useCallback, useEffect, useReducer, useRef } from 'react';
import { Pages, type FeedPage } from '../lib/designs';
import { Refill } from '../lib/refill';

/** The pages of a feed as one shelf, whose far ends are let go of. */
export function usePages(list: FeedPage[] = []): {
  pages: Pages;
  look: Refill['look'];
} {
  const held = useRef<{ pages: Pages; refill: Refill }>(undefined);
  const [, show] = useReducer((count: number) => count + 1, 0);

  // To take the same pages twice changes nothing.
  // eslint-disable-next-line react-hooks/refs
  let both = held.current;
  if (!both?.pages.take(list)) {
    const pages = new Pages();
    pages.take(list);
    both = { pages, refill: new Refill(pages, show) };
    // eslint-disable-next-line react-hooks/refs
    held.current = both;
  }
  const { pages, refill } = both;

  useEffect(() => {
    refill.start();
    return () => { refill.stop(); };
  }, [refill]);
  const look = useCallback<Refill['look']>((...near) => { refill.look(...near); },
                                           [refill]);

  return { pages, look };
}
