'use client';

import { useId } from 'react';
import styles from './Chart.module.css';

export interface Point {
  at: number;
  value: number;
}

/*
 * A line over time, drawn by hand: no library, no layout of its own.  Steps
 * are for what holds until it changes, such as a price.
 */
export function Chart({ points, label, format, steps = false, tall = false }: {
  points: Point[];
  label: string;
  format: (value: number) => string;
  steps?: boolean;
  tall?: boolean;
}) {
  const id = useId();
  let [first] = points;
  const last = points.at(-1);
  if (!first || !last) {
    return (
      <figure className={styles.chart} data-empty>
        <figcaption>
          <span>{label}</span>
          <b>–</b>
        </figcaption>
      </figure>
    );
  }

  // One is drawn as a line, too.
  if (points.length === 1) {
    points = [{ at: first.at - 1, value: first.value }, first];
    [first] = points as [Point, Point];
  }
  const width = 600;
  const height = tall ? 200 : 90;
  const pad = 8;
  const values = points.map(({ value }) => value);
  let low = Math.min(...values);
  let high = Math.max(...values);
  const most = high;
  const least = low;
  if (high === low) {
    high += 1;
    low = Math.max(0, low - 1);
  }
  const span = Math.max(1, last.at - first.at);
  const start = first.at;
  const x = (at: number) => (at - start) / span * width;
  const y = (value: number) => height - pad
    - (value - low) / (high - low) * (height - 2 * pad);
  const path = points.map(({ at, value }, i) => {
    const to = `${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    if (i === 0) {
      return `M${to}`;
    }
    return steps ? `H${x(at).toFixed(1)}V${y(value).toFixed(1)}` : `L${to}`;
  }).join('');

  return (
    <figure className={styles.chart}>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-labelledby={id}
        height={height}
      >
        <title id={id}>
          {`${label}: ${format(last.value)} now, ${format(least)} to ${format(most)}`}
        </title>
        <path className={styles.area} d={`${path}V${height}H${x(start).toFixed(1)}Z`} />
        <path className={styles.line} d={path} vectorEffect="non-scaling-stroke" />
      </svg>
      <figcaption>
        <span>{label}</span>
        <b>{format(last.value)}</b>
      </figcaption>
    </figure>
  );
}
