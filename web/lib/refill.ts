/*
 * What a feed has let go of is fetched again when its reader is near it: by
 * pages, and one by one what these do not have any more.  What does not come is
 * asked for some seconds later, if it still is near.
 */

import { api, pauseAfter, refused, type Design } from './api';
import { refill, type FeedPage, type Pages } from './designs';

const AROUND = 60;      // cards beyond the window that are to be there
const AGAIN = 5000;     // ms, after what did not come
// The server takes ten requests a second, of all kinds.
const PACE = 150;       // ms from one design to the next
const ALONE = 3;        // at a time

type Timer = ReturnType<typeof setTimeout> | undefined;

export class Refill {
  private readonly pages: Pages;
  private readonly changed: () => void;
  private near: [first: number, last: number, focused?: number] = [0, 0];
  /** With a timer: they did not come. */
  private readonly asked = new Map<FeedPage, Timer>();
  private readonly alone = new Set<string>();
  /** Until it is over, no single one is asked for. */
  private pause: Timer;
  private until = 0;
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
    this.askAlone();
  }

  /** Until the next start(), what does not come is not asked for again. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.pause);
    this.pause = undefined;
    for (const [page, timer] of this.asked) {
      if (timer !== undefined) {
        clearTimeout(timer);
        this.asked.delete(page);
      }
    }
  }

  start(): void {
    this.stopped = false;
    this.askAlone();
  }

  private ask(page: FeedPage): void {
    this.asked.set(page, undefined);
    api.designs(page.path).then((fetched) => {
      this.asked.delete(page);
      refill(page, fetched);
      this.changed();
      this.askAlone();
    }, (error) => {
      if (this.stopped) {
        this.asked.delete(page);
      } else {
        this.asked.set(page, setTimeout(() => {
          this.asked.delete(page);
          this.look(...this.near);
        }, pauseAfter(error, AGAIN)));
      }
    });
  }

  private askAlone(): void {
    if (this.stopped || this.pause !== undefined || this.alone.size === ALONE) {
      return;
    }
    const [first, last] = this.near;
    const index = this.pages.missing(first, last)
      .find((one) => !this.alone.has(this.pages.id(one)));
    if (index === undefined) {
      return;
    }
    const id = this.pages.id(index);
    const put = (design: Design | null) => {
      this.pages.put(index, design);
      this.changed();
    };
    this.alone.add(id);
    this.rest(PACE);
    api.design(id).then(put, (error) => {
      if (refused(error)) {
        put(null);
      } else if (!this.stopped) {
        this.rest(pauseAfter(error, AGAIN));
      }
    }).finally(() => {
      this.alone.delete(id);
      this.askAlone();
    });
  }

  private rest(ms: number): void {
    const until = performance.now() + ms;
    if (this.pause !== undefined && until < this.until) {
      return;
    }
    this.until = until;
    clearTimeout(this.pause);
    this.pause = setTimeout(() => {
      this.pause = undefined;
      this.askAlone();
    }, ms);
  }
}
