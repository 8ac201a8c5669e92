'use client';

import { useId } from 'react';
import styles from './Chart.module.css';

export interface Point {
  at: number;
  value: number;
}

const day = new Intl.DateTimeFormat('en-IN', {
  day: 'numeric', month: 'short', year: 'numeric',
});

const DOTS = 60;        // more points than that are a line alone

/*
 * A line over time, drawn by hand: no library, no layout of its own.  Steps
 * are for what holds until it changes, such as a price: they go on until now,
 * each is marked, and said in a list for those who see no picture.
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
  const height = tall ? 140 : 90;
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
  if (steps) {
    // A price that moved a little must not look as if it had moved a lot.
    const air = Math.max(0, (high * 0.06 - (high - low)) / 2);
    high += air;
    low = Math.max(0, low - air);
  }
  const start = first.at;
  const end = steps ? Math.max(last.at, Date.now()) : last.at;
  const span = Math.max(1, end - start);
  const x = (at: number) => (at - start) / span * width;
  const y = (value: number) => height - pad
    - (value - low) / (high - low) * (height - 2 * pad);
  const path = points.map(({ at, value }, i) => {
    const to = `${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    if (i === 0) {
      return `M${to}`;
    }
    return steps ? `H${x(at).toFixed(1)}V${y(value).toFixed(1)}` : `L${to}`;
  }).join('') + (steps ? `H${width}` : '');
  // Round at any width: a line of no length, whose ends are.
  const dots = steps && points.length <= DOTS ? points.map(({ at, value }) => (
    `M${x(at).toFixed(1)} ${y(value).toFixed(1)}h.01`)).join('') : '';

  return (
    <figure className={styles.chart} data-tall={tall || undefined}>
      {steps ? (
        <figcaption>
          <span>{label}</span>
          <span>{most > least ? `${format(least)} – ${format(most)}` : ''}</span>
        </figcaption>
      ) : null}
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
        {dots ? (
          <path className={styles.dots} d={dots} vectorEffect="non-scaling-stroke" />
        ) : null}
      </svg>
      {steps ? (
        <>
          <p className={styles.ends} aria-hidden>
            <span>{day.format(start)}</span>
            <span>today</span>
          </p>
          <ol className="hidden">
            {points.slice(-DOTS).map(({ at, value }) => (
              <li key={at}>{`${day.format(at)}: ${format(value)}`}</li>
            ))}
          </ol>
        </>
      ) : (
        <figcaption>
          <span>{label}</span>
          <b>{format(last.value)}</b>
        </figcaption>
      )}
    </figure>
  );
}
