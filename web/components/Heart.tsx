'use client';

import { useEffect, useRef, useState } from 'react';
import { useLike, useToggle } from '../hooks/useLike';
import styles from './Heart.module.css';

interface HeartProps {
  id: string;
  likes: number;
  title: string;
  /** It may only fly past: the server is asked when somebody stays. */
  passing?: boolean;
}

// There is one on every card: no component draws it.
const icon = (
  <svg
    width={18}
    height={18}
    viewBox="0 0 24 24"
    fill="none"
    stroke="currentColor"
    strokeWidth={1.7}
    strokeLinejoin="round"
    aria-hidden
  >
    <path d="M12 20.4 4.1 12.6a5.2 5.2 0 0 1 7.4-7.3l.5.5.5-.5a5.2 5.2 0 0 1 7.4 7.3z" />
  </svg>
);

export function Heart({ id, likes: known, title, passing = false }: HeartProps) {
  const { liked, likes } = useLike(id, known, passing);
  const [clicks, setClicks] = useState(0);

  return (
    <button
      type="button"
      className={styles.heart}
      aria-pressed={liked}
      aria-label={`Like ${title}`}
      onClick={() => { setClicks(clicks + 1); }}
    >
      {icon}
      <span aria-live="off" data-testid="likes">{likes > 0 ? likes : ''}</span>
      {clicks > 0 ? <Toggle id={id} likes={known} clicks={clicks} /> : null}
    </button>
  );
}

/* What a click takes is not there before there is one. */
function Toggle({ id, likes, clicks }: {
  id: string;
  likes: number;
  clicks: number;
}) {
  const toggle = useToggle(id, likes);
  const done = useRef(0);
  useEffect(() => {
    if (done.current !== clicks) {
      done.current = clicks;
      toggle();
    }
  });
  return null;
}
