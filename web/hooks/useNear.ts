'use client';

import { useEffect, useState, type RefObject } from 'react';

/** Whether an element is on the screen, or nearly. */
export function useNear(ref: RefObject<Element | null>): boolean {
  const [near, setNear] = useState(false);

  useEffect(() => {
    const element = ref.current;
    if (!element) {
      return;
    }
    const observer = new IntersectionObserver((entries) => {
      setNear(entries.at(-1)?.isIntersecting === true);
    }, { rootMargin: '300px 0px' });
    observer.observe(element);
    return () => { observer.disconnect(); };
  }, [ref]);

  return near;
}
