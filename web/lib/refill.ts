/*
 * What a feed has let go of is fetched again when its reader is near it; what
 * does not come, some seconds later, if he still is.
 */

import { api, Problem } from './api';
import { refill, type FeedPage, type Pages } from './designs';

const AROUND = 60;      // cards beyond the window that are to be there
const AGAIN = 5000;     // ms, after what did not come

/* How long it is left alone then. */
function pauseAfter(error: unknown): number {
  const seconds = error instanceof Problem ? error.retryAfter ?? 0 : 0;
  return Math.max(seconds * 1000, AGAIN);
}

export class Refill {
  private readonly pages: Pages;
  private readonly changed: () => void;
  private near: [first: number, last: number, focused?: number] = [0, 0];
  /** With a timer: they did not come. */
  private readonly asked = new Map<FeedPage, ReturnType<typeof setTimeout> | undefined>();
  private stopped = false;

  constructor(pages: Pages, changed: () => void) {
    this.pages = pages;
    this.changed = changed;
  }

  /** These cards are in the window, and that one has the focus. */
  look(first: number, last: number, focused?: number): void {
    this.near = [first, last, focused];
    for (const page of this.pages.look(first, last, AROUND, focused)) {
      if (!this.asked.has(page)) {
        this.ask(page);
      }
    }
  }

  /** Until the next start(), what does not come is not asked for again. */
  stop(): void {
    this.stopped = true;
    for (const [page, timer] of this.asked) {
      if (timer !== undefined) {
        clearTimeout(timer);
        this.asked.delete(page);
      }
    }
  }

  start(): void {
    this.stopped = false;
  }

  private ask(page: FeedPage): void {
    this.asked.set(page, undefined);
    api.designs(page.path).then((fetched) => {
      this.asked.delete(page);
      refill(page, fetched);
      this.changed();
    }, (error) => {
      if (this.stopped) {
        this.asked.delete(page);
      } else {
        this.asked.set(page, setTimeout(() => {
          this.asked.delete(page);
          this.look(...this.near);
        }, pauseAfter(error)));
      }
    });
  }
}
