/*
 * The designs of a feed, as far as somebody has scrolled.  Each one's id and
 * shape stay, by which its place is known; the rest of it stays while it is
 * near the window.  A page of a feed never changes, so one that is needed again
 * is fetched again; unless the server has lost the feed meanwhile, and answers
 * with a page of another.
 */

import type { Design, DesignPage } from './api';

export interface FeedPage {
  path: string;
  next: string | null;
  providers: DesignPage['providers'];
  ids: string[];
  /** Heights divided by widths; 0: nobody knows. */
  shapes: Float32Array;
  /**
   * Nothing: they are to be fetched again; or one of them, by itself; null: the
   * server does not have it.
   */
  designs: (Design | null | undefined)[] | undefined;
}

/** What a wall shows. */
export interface Shelf {
  readonly count: number;
  id(index: number): string;
  shape(index: number): number;
  /** Nothing: it is on its way; null: the server does not have it. */
  at(index: number): Design | null | undefined;
}

export const AHEAD = 20;        // cards before the end at which more is asked for
const KEPT = 5;         // pages on either side of those in the window

export function shapeOf({ width, height }: Design): number {
  return width && height ? height / width : 0;
}

export function pageOf(path: string, page: DesignPage): FeedPage {
  const { next, providers, results } = page;
  return {
    path,
    next,
    providers,
    ids: results.map(({ id }) => id),
    shapes: Float32Array.from(results, shapeOf),
    designs: results,
  };
}

/** Puts what was fetched again where it was; it may not be all. */
export function refill(page: FeedPage, { results }: DesignPage): void {
  const found = new Map(results.map((design) => [design.id, design]));
  page.designs = page.ids.map((id) => found.get(id));
}

export function listOf(designs: Design[]): Shelf {
  return {
    count: designs.length,
    id: (index) => designs[index]?.id ?? '',
    shape: (index) => (designs[index] ? shapeOf(designs[index]) : 0),
    at: (index) => designs[index],
  };
}

export class Pages implements Shelf {
  count = 0;
  private readonly pages: FeedPage[] = [];
  private readonly starts: number[] = [];
  private readonly seen = new Set<string>();

  /**
   * Takes those that are new, without what is there already.  False: these are
   * others than before.
   */
  take(pages: FeedPage[]): boolean {
    if (this.pages.some((page, i) => page !== pages[i])) {
      return false;
    }
    for (const page of pages.slice(this.pages.length)) {
      const fresh = page.ids.map((id) => (
        !this.seen.has(id) && Boolean(this.seen.add(id))));
      if (fresh.includes(false)) {
        page.ids = page.ids.filter((_, i) => fresh[i]);
        page.shapes = page.shapes.filter((_, i) => fresh[i]);
        page.designs = page.designs?.filter((_, i) => fresh[i]);
      }
      this.pages.push(page);
      this.starts.push(this.count);
      this.count += page.ids.length;
    }
    return true;
  }

  id(index: number): string {
    const at = this.pageAt(index);
    return this.pages[at]?.ids[index - (this.starts[at] ?? 0)] ?? '';
  }

  shape(index: number): number {
    const at = this.pageAt(index);
    return this.pages[at]?.shapes[index - (this.starts[at] ?? 0)] ?? 0;
  }

  at(index: number): Design | null | undefined {
    const at = this.pageAt(index);
    return this.pages[at]?.designs?.[index - (this.starts[at] ?? 0)];
  }

  find(id: string): Design | undefined {
    for (const { designs } of this.pages) {
      const design = designs?.find((one) => one?.id === id);
      if (design) {
        return design;
      }
    }
    return undefined;
  }

  /**
   * Lets go of what is far from the cards in the window, but for the page of
   * one that has the focus; the pages of those, and of so many around them,
   * that are to be fetched again.
   */
  look(first: number, last: number, around: number,
       focused?: number): FeedPage[] {
    const from = this.pageAt(Math.max(0, first - around));
    const to = this.pageAt(Math.min(this.count - 1, last + around));
    const kept = focused === undefined ? from : this.pageAt(focused);
    this.pages.forEach((page, i) => {
      if ((i < from - KEPT || i > to + KEPT) && i !== kept) {
        page.designs = undefined;
      }
    });
    return this.pages.slice(from, to + 1).filter(({ designs }) => !designs);
  }

  /** Those of these cards that are missing in pages which are there. */
  missing(first: number, last: number): number[] {
    const indexes = [];
    for (let i = first; i <= Math.min(last, this.count - 1); i++) {
      if (this.at(i) === undefined && this.pages[this.pageAt(i)]?.designs) {
        indexes.push(i);
      }
    }
    return indexes;
  }

  /** Puts one that is missing where it was. */
  put(index: number, design: Design | null): void {
    const at = this.pageAt(index);
    const { designs } = this.pages[at] ?? {};
    if (designs) {
      designs[index - (this.starts[at] ?? 0)] = design;
    }
  }

  private pageAt(index: number): number {
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.starts[middle] ?? 0) <= index) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }
}
