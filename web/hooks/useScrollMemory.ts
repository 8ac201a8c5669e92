'use client';

import { useLayoutEffect, useRef } from 'react';

/*
 * Where the reader was on a page of that address.  Next and the browser try
 * by themselves, but before the wall has its height again.
 */
const places = new Map<string, number>();
let back = false;

if (typeof window !== 'undefined') {
  window.addEventListener('popstate', () => { back = true; });
  window.addEventListener('click', ({ target }) => {
    if (target instanceof Element && target.closest('a[href]')) {
      forward();
    }
  }, true);
}

/**
 * The reader goes on, by a link or a new address: what comes begins at its
 * top.  The back button may have been the last before, but have only closed
 * what was open.
 */
export function forward(): void {
  back = false;
}

/** Restores the place when the back button leads to `key`, once it is ready. */
export function useScrollMemory(key: string, ready: boolean): void {
  const wanted = useRef<number>(undefined);

  useLayoutEffect(() => {
    wanted.current = back ? places.get(key) : undefined;
    back = false;
  }, [key]);

  useLayoutEffect(() => {
    const top = wanted.current;
    if (!ready || top === undefined) {
      return;
    }
    // After the browser has had its try.
    let frame = requestAnimationFrame(() => {
      frame = requestAnimationFrame(() => {
        wanted.current = undefined;
        window.scrollTo(0, top);
      });
    });
    return () => { cancelAnimationFrame(frame); };
  }, [ready, key]);

  // Gone with the page itself: the next one begins at its top.  Before others
  // have changed the page, or it would be laid out twice in a frame.
  useLayoutEffect(() => {
    const keep = () => {
      if (wanted.current === undefined) {
        places.set(key, window.scrollY);
      }
    };
    window.addEventListener('scroll', keep, { capture: true, passive: true });
    return () => { window.removeEventListener('scroll', keep, true); };
  }, [key]);
}
