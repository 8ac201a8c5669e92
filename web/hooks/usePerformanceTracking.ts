'use client';

import { useEffect, useLayoutEffect, useRef } from 'react';
import { measure } from '../lib/telemetry';

const useCommit = typeof window === 'undefined' ? useEffect : useLayoutEffect;

/**
 * Measures how long this component takes from the start of its render to the
 * commit, each time; what is beyond a frame (16 ms) is a render_time that
 * goes to the server.
 *
 *     usePerformanceTracking('feed');
 */
export function usePerformanceTracking(name: string): void {
  const started = useRef(0);
  // A render may be begun and thrown away: the last start before a commit is
  // that of the render which was committed.
  // eslint-disable-next-line react-hooks/refs
  started.current = performance.now();

  useCommit(() => {
    const took = performance.now() - started.current;
    if (took > 16) {
      measure('render_time', took, name);
    }
  });
}
