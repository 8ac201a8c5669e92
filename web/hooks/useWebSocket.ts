'use client';

import { useEffect, useRef, useSyncExternalStore } from 'react';
import type { LiveMessage, LiveState } from '../lib/live';
import { live } from '../lib/live-client';

export interface UseWebSocketOptions {
  /** Messages were missed for good: fetch anew what they would have told. */
  onGap?: () => void;
  /** Waits so many ms first: for cards that may only fly past. */
  delay?: number;
}

const IDLE: LiveState = { status: 'idle' };

/**
 * Listens to a channel for as long as the component is there; null listens to
 * nothing.  All users of a channel share one subscription, all channels share
 * one socket.
 *
 *     useWebSocket(`product:${id}`, (data) => setPrice(data.price));
 */
export function useWebSocket<T = unknown>(
  channel: string | null,
  onMessage: (data: T, about: LiveMessage) => void,
  { onGap, delay = 0 }: UseWebSocketOptions = {},
): void {
  // What is called is the newest, without subscribing anew at each render.
  const latest = useRef({ onMessage, onGap });
  useEffect(() => {
    latest.current = { onMessage, onGap };
  });

  useEffect(() => {
    if (channel === null) {
      return;
    }
    let stop: (() => void) | undefined;
    const begin = () => {
      stop = live().subscribe(channel, {
        message: (data, about) => {
          latest.current.onMessage(data as T, about);
        },
        gap: () => { latest.current.onGap?.(); },
      });
    };
    const timer = delay > 0 ? setTimeout(begin, delay) : undefined;
    if (timer === undefined) {
      begin();
    }
    return () => {
      clearTimeout(timer);
      stop?.();
    };
  }, [channel, delay]);
}

/** The state of the page's socket, for those who show it. */
export function useLiveState(): LiveState {
  return useSyncExternalStore(
    (changed) => live().watch(changed),
    () => live().state,
    () => IDLE,
  );
}
