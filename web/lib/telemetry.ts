/*
 * What this browser measures of itself: kept for the status page, and sent to
 * POST /telemetry in batches, by sendBeacon, which a page that closes cannot
 * cut off.  Nothing in it says who or what: names of measures and numbers.
 */

import type { components } from './api-types';

type Batch = components['schemas']['Telemetry'];
export type MeasureName = Batch['events'][number]['name'];

export interface Measure {
  name: MeasureName;
  value: number;
  at: number;
}

/** Beyond these the console warns while developing. */
export const limits: Partial<Record<MeasureName, number>> = {
  api_time: 1000,
  render_time: 16,
  websocket_latency: 100,
};

const BATCH = 100;
const KEEP = 300;
const EVERY = 15_000;

const kept: Measure[] = [];
let waiting: Batch['events'] = [];
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

export function measure(name: MeasureName, value: number, about = ''): void {
  const limit = limits[name];
  if (!Number.isFinite(value)) {
    return;
  }
  if (limit !== undefined && value > limit
      && process.env.NODE_ENV === 'development') {
    console.warn(`${name} ${Math.round(value)} ms, more than ${limit}`, about);
  }
  kept.push({ name, value, at: Date.now() });
  if (kept.length > KEEP) {
    kept.shift();
  }
  waiting.push({ name, value: Math.round(value * 1000) / 1000 });
  if (waiting.length >= BATCH) {
    flush();
  } else {
    timer ??= setTimeout(flush, EVERY);
  }
  listeners.forEach((listener) => { listener(); });
}

export function flush(): void {
  clearTimeout(timer);
  timer = undefined;
  if (waiting.length === 0 || typeof navigator === 'undefined'
      || !('sendBeacon' in navigator)) {
    return;
  }
  const events = waiting;
  waiting = [];
  navigator.sendBeacon('/telemetry', new Blob(
    [JSON.stringify({ events })], { type: 'application/json' }));
}

/** The last of these, oldest first. */
export function measures(name: MeasureName): Measure[] {
  return kept.filter((m) => m.name === name);
}

export function onMeasure(listener: () => void): () => void {
  listeners.add(listener);
  return () => { listeners.delete(listener); };
}

/** What the browser tells of the page as a whole. */
export function watchVitals(): () => void {
  let lcp = 0;
  let cls = 0;
  const observers: PerformanceObserver[] = [];

  function observe(type: string, take: (entry: PerformanceEntry) => void) {
    try {
      const observer = new PerformanceObserver((list) => {
        list.getEntries().forEach(take);
      });
      observer.observe({ type, buffered: true });
      observers.push(observer);
    } catch {
      // this browser does not tell
    }
  }
  observe('largest-contentful-paint', (entry) => { lcp = entry.startTime; });
  observe('layout-shift', (entry) => {
    const shift = entry as PerformanceEntry
      & { value: number; hadRecentInput: boolean };
    cls += shift.hadRecentInput ? 0 : shift.value;
  });

  let told = false;
  const onHide = () => {
    if (document.visibilityState === 'hidden') {
      if (!told) {
        told = true;
        measure('lcp', lcp);
        measure('cls', cls);
      }
      flush();
    }
  };
  document.addEventListener('visibilitychange', onHide);
  window.addEventListener('pagehide', flush);
  return () => {
    observers.forEach((observer) => { observer.disconnect(); });
    document.removeEventListener('visibilitychange', onHide);
    window.removeEventListener('pagehide', flush);
  };
}
