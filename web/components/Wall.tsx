'use client';

import { useWindowVirtualizer, type Range } from '@tanstack/react-virtual';
import {
  memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState,
  type KeyboardEvent,
} from 'react';
import type { Design } from '../lib/api';
import { Columns } from '../lib/columns';
import type { Shelf } from '../lib/designs';
import { outside } from '../lib/focus';
import { DesignCard } from './DesignCard';
import styles from './Wall.module.css';

const FOOT = 60;
const GUESS = 300;
const OVERSCAN = 10;

/* How many columns there are room for, and how wide one is. */
function layout(width: number): [columns: number, gap: number, each: number] {
  const gap = width < 600 ? 12 : 22;
  const columns = Math.max(1, width < 600
    ? Math.floor((width + gap) / (150 + gap))
    : Math.min(6, Math.floor((width + gap) / (270 + gap))));
  return [columns, gap, (width - gap * (columns - 1)) / columns];
}

/** Heights are known before a picture is there, so nothing ever shifts. */
function heightOf(shape: number, each: number): number {
  return shape === 0 ? GUESS
    : Math.round(each * Math.min(1.6, Math.max(.56, shape))) + FOOT;
}

export interface WallProps {
  shelf: Shelf;
  /** Those of the shelf: it may be the same one with more. */
  count: number;
  onOpen: (id: string) => void;
  hrefOf: (id: string) => string;
  /** These are in the document now, and that one has the focus. */
  onShow: (first: number, last: number, focused?: number) => void;
  label: string;
  /** More of them may come. */
  more?: boolean;
  /** They are on their way. */
  busy?: boolean;
}

/**
 * Designs in columns; only those near the window are in the document.  As a
 * feed wants it, Page Down and Page Up go from one to the next, whether it is
 * there or not, and Control with Home or End leaves it.
 */
export function Wall({
  shelf, count, onOpen, hrefOf, onShow, label, more = false, busy = false,
}: WallProps) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [top, setTop] = useState(0);
  const focused = useRef<number>(undefined);
  const wanted = useRef<number>(undefined);
  const [lanes, gap, each] = layout(width);
  const columns = useMemo(() => new Columns(lanes, gap, each),
                          [shelf, lanes, gap, each]);
  while (width > 0 && columns.count < count) {
    columns.add(heightOf(shelf.shape(columns.count), each));
  }

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) {
      return;
    }
    const look = () => {
      setWidth(element.clientWidth);
      setTop(element.getBoundingClientRect().top + window.scrollY);
    };
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => { observer.disconnect(); };
  }, []);

  // The virtualizer goes by a single column of what lies between the tops of
  // one and the next: numbers in an array.  A new function has it count anew.
  const keyOf = useCallback((index: number) => index, [columns]);
  const heights = useCallback((index: number) => columns.step(index), [columns]);
  // So many cards beyond the window; and whoever has the keyboard's focus
  // stays.
  const extract = useCallback((range: Range) => {
    const first = Math.max(0, columns.reaching(range.startIndex) - OVERSCAN);
    const last = Math.min(range.count - 1, range.endIndex + OVERSCAN);
    const indexes = Array.from({ length: last - first + 1 }, (_, i) => first + i);
    const { current } = focused;
    return current === undefined || current >= range.count
      || (current >= first && current <= last)
      ? indexes : [...indexes, current].sort((a, b) => a - b);
  }, [columns]);
  const virtualizer = useWindowVirtualizer({
    count: columns.count,
    overscan: OVERSCAN,
    scrollMargin: top,
    estimateSize: heights,
    getItemKey: keyOf,
    rangeExtractor: extract,
  });

  const indexes = virtualizer.getVirtualIndexes();
  // Not the one that only has the focus.
  const near = indexes.filter((index) => index !== focused.current);
  const first = near[0] ?? indexes[0] ?? 0;
  const last = near.at(-1) ?? indexes.at(-1) ?? 0;
  useEffect(() => {
    if (count > 0) {
      onShow(first, last, focused.current);
    }
  }, [first, last, count, onShow]);

  const focus = useCallback((index: number): boolean => {
    const article = box.current?.querySelector<HTMLElement>(
      `[data-index="${index}"] > article`);
    article?.focus({ preventScroll: true });
    article?.scrollIntoView({ block: 'nearest' });
    return article !== null && article !== undefined;
  }, []);

  // The one that the keyboard went to is there now.
  useEffect(() => {
    if (wanted.current !== undefined && focus(wanted.current)) {
      wanted.current = undefined;
    }
  });

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const { current } = focused;
    const step = event.key === 'PageDown' ? 1 : event.key === 'PageUp' ? -1 : 0;
    if (step !== 0 && current !== undefined) {
      const next = current + step;
      if (next >= 0 && next < count) {
        event.preventDefault();
        if (!focus(next)) {
          wanted.current = next;
          virtualizer.scrollToIndex(next, { align: 'center' });
        }
      }
    } else if (event.ctrlKey && (event.key === 'Home' || event.key === 'End')) {
      const next = outside(box.current, event.key === 'End');
      if (next) {
        event.preventDefault();
        next.focus();
      }
    }
  };

  return (
    <div
      ref={box}
      className={styles.wall}
      role="feed"
      aria-label={label}
      aria-busy={busy}
      style={width > 0 ? { height: columns.size } : undefined}
      onFocus={(event) => {
        wanted.current = undefined;
        const index = event.target.closest<HTMLElement>('[data-index]')
          ?.dataset.index;
        focused.current = index === undefined ? undefined : Number(index);
      }}
      onBlur={() => { focused.current = undefined; }}
      onKeyDown={onKeyDown}
    >
      {indexes.map((index) => (
        <Place
          key={shelf.id(index)}
          index={index}
          width={each}
          height={columns.height(index)}
          left={columns.left(index)}
          top={columns.top(index)}
          design={shelf.at(index)}
          hrefOf={hrefOf}
          eager={index < lanes * 2}
          onOpen={onOpen}
          size={more ? -1 : count}
        />
      ))}
    </div>
  );
}

/* All but the few that came or went are as they were. */
const Place = memo(function Place({
  index, width, height, left, top, ...card
}: {
  index: number;
  width: number;
  height: number;
  left: number;
  top: number;
  design: Design | null | undefined;
  hrefOf: (id: string) => string;
  eager: boolean;
  onOpen: (id: string) => void;
  size: number;
}) {
  return (
    <div
      data-index={index}
      className={styles.place}
      style={{ width, height, left, top }}
    >
      <DesignCard {...card} width={width} position={index + 1} />
    </div>
  );
});
