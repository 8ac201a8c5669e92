'use client';

import { useEffect, useState } from 'react';
import type { Generation } from '../lib/api';
import styles from './Waiting.module.css';

/** Seconds since then, while somebody looks. */
export function useSeconds(since: number | null): number {
  const [now, setNow] = useState(since ?? 0);
  useEffect(() => {
    if (since === null) {
      return;
    }
    setNow(Date.now());
    const timer = setInterval(() => { setNow(Date.now()); }, 200);
    return () => { clearInterval(timer); };
  }, [since]);
  return since === null ? 0 : Math.max(0, (now - since) / 1000);
}

/* The server's estimate, counted down until it sends the next one. */
function Eta({ seconds }: { seconds: number }) {
  const [at, setAt] = useState<number | null>(null);
  useEffect(() => { setAt(Date.now()); }, [seconds]);
  const passed = useSeconds(at);
  const left = Math.max(0, Math.ceil(seconds - passed));
  if (left === 0) {
    return <>any moment now</>;
  }
  return <>{left < 100 ? `in about ${left} s` : `in about ${Math.ceil(left / 60)} minutes`}</>;
}

/** Whether there is something to wait for. */
export function waits(row: Generation): boolean {
  return row.status === 'queued' || row.status === 'running';
}

/** Where a picture stands that is not there yet. */
export function Waiting({ row }: { row: Generation }) {
  if (row.status === 'running' || row.position === undefined) {
    return (
      <span className={styles.wait}><span>Your picture is being made</span></span>
    );
  }
  return (
    <span className={styles.wait}>
      <strong data-testid="position">{row.position}</strong>
      <span>{row.position === 1 ? 'You are next' : 'in the queue'}</span>
      {typeof row.etaSeconds === 'number' ? (
        <small data-testid="eta"><Eta seconds={row.etaSeconds} /></small>
      ) : null}
    </span>
  );
}
