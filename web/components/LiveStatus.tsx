'use client';

import { useQuery } from '@tanstack/react-query';
import Link from 'next/link';
import { useEffect, useState } from 'react';
import { useLiveState } from '../hooks/useWebSocket';
import { api, Problem } from '../lib/api';
import { live } from '../lib/live-client';
import { tell, untell } from '../lib/toast';
import styles from './LiveStatus.module.css';

const EVERY = 30_000;
const SOON = 5000;

/* Servers that do not tell this visitor. */
function untold(error: unknown): boolean {
  return error instanceof Problem && [403, 404].includes(error.status);
}

/*
 * A socket that is open tells nothing while the server is without its Redis.
 * One answer that does not come says nothing of that.
 */
function usePaused(open: boolean): boolean {
  const { data, error } = useQuery({
    queryKey: ['ready'],
    queryFn: ({ signal }) => api.ready(signal),
    enabled: open,
    refetchInterval: ({ state }) => (
      state.data?.redis === 'away' && !untold(state.error) ? SOON : EVERY),
    retry: false,
    staleTime: EVERY,
  });
  return open && !untold(error) && data?.redis === 'away';
}

/** Whether what is shown is live: in a word, and a dot of that colour. */
export function LiveStatus() {
  const state = useLiveState();
  const [seconds, setSeconds] = useState(0);
  const at = state.status === 'waiting' ? state.at : null;
  const paused = usePaused(state.status === 'open');

  // It is said on every page, also where nothing changes by itself.
  useEffect(() => live().hold(), []);

  useEffect(() => {
    if (at === null) {
      return;
    }
    const count = () => {
      setSeconds(Math.max(0, Math.ceil((at - Date.now()) / 1000)));
    };
    count();
    const timer = setInterval(count, 250);
    return () => { clearInterval(timer); };
  }, [at]);

  useEffect(() => {
    if (state.status === 'gave-up') {
      tell('error', 'Connection lost', {
        id: 'connection',
        description: 'Please refresh the page',
        duration: Infinity,
        action: { label: 'Try again', onClick: () => { live().retry(); } },
      });
    } else if (state.status === 'open') {
      untell('connection');
    }
  }, [state.status]);

  // A reload of the server is over before it could be read.
  const brief = state.status === 'connecting'
    || (state.status === 'waiting' && state.tries <= 1);
  let text = '';
  if (state.status === 'open') {
    text = paused ? 'Updates paused' : 'Live';
  } else if (state.status === 'gave-up') {
    text = 'Connection lost';
  } else if (state.status !== 'idle') {
    text = brief ? 'Connecting' : 'Reconnecting';
  }

  return (
    <div className={styles.status} data-status={paused ? 'paused' : state.status}>
      <Link href="/status" prefetch={false} className={styles.link}>
        <span className={styles.dot} aria-hidden />
        <span className="hidden">Status: </span>
        <span role="status" className={brief ? styles.brief : undefined}>
          {text}
          {at !== null && !brief
            // Nobody wants to hear each second.
            ? <span aria-hidden>{` in ${seconds} s`}</span> : null}
          {state.status === 'gave-up'
            ? <span className={styles.hint}> · Please refresh the page</span> : null}
        </span>
      </Link>
      {state.status === 'gave-up' || (state.status === 'waiting' && !brief) ? (
        <button
          type="button"
          className={styles.again}
          onClick={() => { live().retry(); }}
        >
          Try now
        </button>
      ) : null}
    </div>
  );
}
