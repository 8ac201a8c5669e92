'use client';

import { useCallback, useEffect, useReducer, useRef } from 'react';
import { api } from '../lib/api';
import { Pages, refill, type FeedPage } from '../lib/designs';

const AROUND = 60;      // cards beyond the window that are to be there
const AGAIN = 5000;     // ms, after a page that did not come

/** These cards are in the window, and that one has the focus. */
type Look = (first: number, last: number, focused?: number) => void;

/** The pages of a feed as one shelf, whose far ends are let go of. */
export function usePages(list: FeedPage[] = []): {
  pages: Pages;
  look: Look;
} {
  const held = useRef<Pages>(undefined);
  const shown = useRef<Pages>(undefined);
  const near = useRef<Parameters<Look>>([0, 0]);
  const asked = useRef(new Set<FeedPage>());
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const [, show] = useReducer((count: number) => count + 1, 0);

  // To take the same pages twice changes nothing.
  // eslint-disable-next-line react-hooks/refs
  let pages = held.current;
  if (!pages?.take(list)) {
    pages = new Pages();
    pages.take(list);
    // eslint-disable-next-line react-hooks/refs
    held.current = pages;
  }

  const look = useCallback<Look>((first, last, focused) => {
    near.current = [first, last, focused];
    clearTimeout(timer.current);
    for (const page of pages.look(first, last, AROUND, focused)) {
      if (!asked.current.has(page)) {
        asked.current.add(page);
        api.designs(page.path).then((fetched) => {
          refill(page, fetched);
          show();
        }, () => {
          // Several may fail, and late: the reader may be elsewhere by then.
          if (shown.current === pages) {
            clearTimeout(timer.current);
            timer.current = setTimeout(() => { look(...near.current); }, AGAIN);
          }
        }).finally(() => { asked.current.delete(page); });
      }
    }
  }, [pages]);
  useEffect(() => {
    shown.current = pages;
    return () => {
      shown.current = undefined;
      clearTimeout(timer.current);
    };
  }, [pages]);

  return { pages, look };
}
