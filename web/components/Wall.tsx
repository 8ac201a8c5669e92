'use client';

import { defaultRangeExtractor, useWindowVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { Design } from '../lib/api';
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

/** Designs in columns; only those near the window are in the document. */
export function Wall({ designs, onOpen, hrefOf, onNearEnd, label }: {
  designs: Design[];
  onOpen: (id: string) => void;
  hrefOf: (id: string) => string;
  onNearEnd?: () => void;
  label: string;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [top, setTop] = useState(0);
  const focused = useRef<number>(undefined);
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
  const virtualizer = useWindowVirtualizer({
    count: width > 0 ? designs.length : 0,
    lanes: columns,
    gap,
    overscan: OVERSCAN,
    scrollMargin: top,
    estimateSize: (index) => heightOf(designs[index], each),
    getItemKey: keyOf,
    // Whoever has the keyboard's focus stays.
    rangeExtractor: (range) => {
      const indexes = defaultRangeExtractor(range);
      const { current } = focused;
      return current === undefined || current >= range.count
        || indexes.includes(current)
        ? indexes : [...indexes, current].sort((a, b) => a - b);
    },
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

  return (
    <div
      ref={box}
      className={styles.wall}
      role="feed"
      aria-label={label}
      style={width > 0 ? { height: virtualizer.getTotalSize() } : undefined}
      onFocus={(event) => {
        const index = event.target.closest<HTMLElement>('[data-index]')
          ?.dataset.index;
        focused.current = index === undefined ? undefined : Number(index);
      }}
      onBlur={() => { focused.current = undefined; }}
    >
      {items.map((item) => {
        const design = designs[item.index];
        return design ? (
          <div
            key={item.key}
            data-index={item.index}
            className={styles.place}
            style={{
              width: each,
              height: item.size,
              transform: `translate(${item.lane * (each + gap)}px, ${
                item.start - virtualizer.options.scrollMargin}px)`,
            }}
          >
            <DesignCard
              design={design}
              href={hrefOf(design.id)}
              sizes={`${Math.round(each)}px`}
              eager={item.index < columns * 2}
              onOpen={onOpen}
              position={item.index + 1}
            />
          </div>
        ) : null;
      })}
    </div>
  );
}
