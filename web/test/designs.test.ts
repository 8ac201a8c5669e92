/* The shelf of a feed, and where its cards stand. */

import { describe, expect, it } from 'vitest';
import type { Design, DesignPage } from '../lib/api';
import { Columns } from '../lib/columns';
import { listOf, pageOf, Pages, refill, type FeedPage } from '../lib/designs';

function page(ids: string[], next: string | null = null): DesignPage {
  return {
    next, providers: {},
    results: ids.map((id, i) => ({ id, width: 100, height: 50 * (i + 1) })),
  } as unknown as DesignPage;
}

const numbered = (from: number, count: number) => (
  Array.from({ length: count }, (_, i) => `a:${from + i}`));

/* So many pages of ten. */
function many(count: number) {
  return Array.from({ length: count }, (_, i) => (
    pageOf(`/${i}`, page(numbered(i * 10, 10)))));
}

describe('Pages', () => {
  it('is one list, with each design once', () => {
    const pages = new Pages();
    const list = [pageOf('/0', page(['a', 'b']))];
    expect(pages.take(list)).toBe(true);
    list.push(pageOf('/1', page(['b', 'c', 'a', 'd'])));
    expect(pages.take(list)).toBe(true);
    expect(pages.take(list)).toBe(true);
    expect(pages.count).toBe(4);
    expect([0, 1, 2, 3].map((i) => pages.id(i))).toEqual(['a', 'b', 'c', 'd']);
    expect([0, 1, 2, 3].map((i) => pages.at(i)?.id)).toEqual(['a', 'b', 'c', 'd']);
    expect([0, 1, 2, 3].map((i) => pages.shape(i))).toEqual([.5, 1, 1, 2]);
    expect(pages.at(4)).toBeUndefined();
    expect(pages.find('c')?.id).toBe('c');
  });

  it('takes no others', () => {
    const pages = new Pages();
    pages.take(many(2));
    expect(pages.take(many(2))).toBe(false);
    expect(pages.take([])).toBe(false);
  });

  it('lets go of what is far, and says what is to come again', () => {
    const pages = new Pages();
    const list = many(30);
    pages.take(list);
    expect(pages.look(155, 165, 10)).toEqual([]);
    const there = () => list.flatMap(({ designs }, i) => (designs ? [i] : []));
    expect(there()).toEqual([9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22]);
    expect([pages.at(5), pages.id(5), pages.shape(5)])
      .toEqual([undefined, 'a:5', 3]);

    const missing = pages.look(0, 12, 10);
    expect(missing).toEqual([list[0], list[1], list[2]]);
    expect(there()).toEqual([]);
    // Another order, and one that is missing there.
    refill(list[0] as FeedPage, page([...numbered(1, 9), 'b']));
    expect(pages.at(0)).toBeUndefined();
    expect(pages.missing(0, 12)).toEqual([0]);
    pages.put(0, null);
    expect([pages.at(0), pages.missing(0, 12)]).toEqual([null, []]);
    pages.put(10, null);                // its page is to come as a whole
    expect(pages.at(1)?.id).toBe('a:1');
    expect(pages.at(10)).toBeUndefined();
    expect(pages.look(0, 12, 10)).toEqual([list[1], list[2]]);
  });

  it('keeps the page of one that has the focus', () => {
    const pages = new Pages();
    const list = many(30);
    pages.take(list);
    expect(pages.look(250, 260, 10, 3)).toEqual([]);
    expect([pages.at(3)?.id, pages.at(13)]).toEqual(['a:3', undefined]);
    pages.look(250, 260, 10);
    expect(pages.at(3)).toBeUndefined();
  });

  it('keeps what is left out left out', () => {
    const pages = new Pages();
    const list = [pageOf('/0', page(['a'])), pageOf('/1', page(['a', 'b']))];
    pages.take(list);
    refill(list[1] as FeedPage, page(['a', 'b']));
    expect([pages.at(0)?.id, pages.at(1)?.id, pages.at(2)])
      .toEqual(['a', 'b', undefined]);
  });
});

describe('listOf', () => {
  it('is a shelf of what is all there', () => {
    const shelf = listOf(page(['a', 'b']).results.concat({ id: 'c' } as Design));
    expect([shelf.count, shelf.id(1), shelf.shape(1), shelf.at(1)?.id])
      .toEqual([3, 'b', 1, 'b']);
    expect([shelf.shape(2), shelf.id(3), shelf.at(3)]).toEqual([0, '', undefined]);
  });
});

describe('Columns', () => {
  const columns = new Columns(3, 10, 100);
  const heights = [100, 300, 50, 80, 60, 70, 200];
  heights.forEach((height) => { columns.add(height); });
  const of = (what: (i: number) => number) => heights.map((_, i) => what(i));

  it('puts each below the one that ends first', () => {
    expect(of((i) => columns.left(i))).toEqual([0, 110, 220, 220, 0, 220, 0]);
    expect(of((i) => columns.top(i))).toEqual([0, 0, 0, 60, 110, 150, 180]);
    expect(of((i) => columns.height(i))).toEqual(heights);
    expect(columns.size).toBe(380);
  });

  it('has steps that add up', () => {
    expect(of((i) => columns.step(i))).toEqual([0, 0, 60, 50, 40, 30, 200]);
    expect(of((i) => columns.step(i)).reduce((a, b) => a + b)).toBe(columns.size);
  });

  it('knows who reaches below a top', () => {
    expect(of((i) => columns.reaching(i))).toEqual([0, 0, 0, 0, 1, 1, 1]);
  });

  it('grows', () => {
    const many = new Columns(4, 22, 270);
    for (let i = 0; i < 5000; i++) {
      many.add(160 + i * 7919 % 300);
    }
    const all = Array.from({ length: 5000 }, (_, i) => i);
    expect(all.filter((i) => many.height(i) !== 160 + i * 7919 % 300
      || many.top(i) < many.top(i - 1))).toEqual([]);
    expect(new Columns(2, 10, 100).size).toBe(0);
  });
});
