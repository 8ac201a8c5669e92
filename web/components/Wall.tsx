'use client';

import { defaultRangeExtractor, useWindowVirtualizer, type Range } from '@tanstack/react-virtual';
import {
  memo, useCallback, useEffect, useLayoutEffect, useRef, useState,
  type KeyboardEvent,
} from 'react';
import type { Design } from '../lib/api';
import { outside } from '../lib/focus';
import { DesignCard } from './DesignCard';
import styles from './Wall.module.css';

const FOOT = 60;
const GUESS = 300;
const OVERSCAN = 10;
const AHEAD = 20;       // cards before the end at which more is asked for

/* How many columns there are room for, and how wide one is. */
function layout(width: number): { columns: number; gap: number; each: number } {
  const gap = width < 600 ? 12 : 22;
  const columns = Math.max(1, width < 600
    ? Math.floor((width + gap) / (150 + gap))
    : Math.min(6, Math.floor((width + gap) / (270 + gap))));
  return { columns, gap, each: (width - gap * (columns - 1)) / columns };
}

/** Heights are known before a picture is there, so nothing ever shifts. */
function heightOf(design: Design | undefined, each: number): number {
  if (!design?.width || !design.height) {
    return GUESS;
  }
  const ratio = Math.min(1.6, Math.max(.56, design.height / design.width));
  return Math.round(each * ratio) + FOOT;
}

interface WallProps {
  designs: Design[];
  onOpen: (id: string) => void;
  hrefOf: (id: string) => string;
  onNearEnd?: () => void;
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
  designs, onOpen, hrefOf, onNearEnd, label, more = false, busy = false,
}: WallProps) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [top, setTop] = useState(0);
  const focused = useRef<number>(undefined);
  const wanted = useRef<number>(undefined);
  const { columns, gap, each } = layout(width);

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

  // A new function would have all heights counted again.
  const keyOf = useCallback((index: number) => designs[index]?.id ?? index,
                            [designs]);
  const heights = useCallback(
    (index: number) => heightOf(designs[index], each), [designs, each]);
  // So many cards, not rows, beyond the window; and whoever has the keyboard's
  // focus stays.
  const extract = useCallback((range: Range) => {
    const indexes = defaultRangeExtractor({ ...range, lanes: 1 });
    const { current } = focused;
    return current === undefined || current >= range.count
      || indexes.includes(current)
      ? indexes : [...indexes, current].sort((a, b) => a - b);
  }, []);
  const virtualizer = useWindowVirtualizer({
    count: width > 0 ? designs.length : 0,
    lanes: columns,
    gap,
    overscan: OVERSCAN,
    scrollMargin: top,
    estimateSize: heights,
    getItemKey: keyOf,
    rangeExtractor: extract,
  });

  // Other columns, other heights.
  useLayoutEffect(() => {
    virtualizer.measure();
  }, [virtualizer, columns, each]);

  const items = virtualizer.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (designs.length > 0 && last >= designs.length - AHEAD) {
      onNearEnd?.();
    }
  }, [last, designs.length, onNearEnd]);

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
      if (next >= 0 && next < designs.length) {
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

  const sizes = `${Math.round(each)}px`;
  return (
    <div
      ref={box}
      className={styles.wall}
      role="feed"
      aria-label={label}
      aria-busy={busy}
      style={width > 0 ? { height: virtualizer.getTotalSize() } : undefined}
      onFocus={(event) => {
        wanted.current = undefined;
        const index = event.target.closest<HTMLElement>('[data-index]')
          ?.dataset.index;
        focused.current = index === undefined ? undefined : Number(index);
      }}
      onBlur={() => { focused.current = undefined; }}
      onKeyDown={onKeyDown}
    >
      {items.map((item) => {
        const design = designs[item.index];
        return design ? (
          <Place
            key={item.key}
            index={item.index}
            width={each}
            height={item.size}
            x={item.lane * (each + gap)}
            y={item.start - virtualizer.options.scrollMargin}
            design={design}
            hrefOf={hrefOf}
            sizes={sizes}
            eager={item.index < columns * 2}
            onOpen={onOpen}
            size={more ? -1 : designs.length}
          />
        ) : null;
      })}
    </div>
  );
}

/* All but the few that came or went are as they were. */
const Place = memo(function Place({
  index, width, height, x, y, ...card
}: {
  index: number;
  width: number;
  height: number;
  x: number;
  y: number;
  design: Design;
  hrefOf: (id: string) => string;
  sizes: string;
  eager: boolean;
  onOpen: (id: string) => void;
  size: number;
}) {
  return (
    <div
      data-index={index}
      className={styles.place}
      style={{ width, height, transform: `translate(${x}px, ${y}px)` }}
    >
      <DesignCard {...card} position={index + 1} />
    </div>
  );
});
