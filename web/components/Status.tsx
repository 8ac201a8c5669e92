'use client';

import { useQuery } from '@tanstack/react-query';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { useLiveState } from '../hooks/useWebSocket';
import { api, Problem } from '../lib/api';
import { parse, sum, type Sample } from '../lib/metrics';
import { inWords, serviceOf } from '../lib/prompt';
import { nameOf } from '../lib/sources';
import { measures, onMeasure, type MeasureName } from '../lib/telemetry';
import { Chart, type Point } from './Chart';
import styles from './Status.module.css';

const EVERY = 3000;
const KEEP = 120;

const STATES = {
  idle: 'not used', connecting: 'connecting', open: 'connected',
  waiting: 'reconnecting', 'gave-up': 'connection lost',
};

interface Look {
  at: number;
  samples: Sample[];
}

/* What grew from look to look, in each second. */
function rate(looks: Look[], value: (samples: Sample[]) => number): Point[] {
  return looks.slice(1).map((look, i) => {
    const before = looks[i];
    const seconds = before ? (look.at - before.at) / 1000 : 1;
    const grown = before ? value(look.samples) - value(before.samples) : 0;
    return { at: look.at, value: Math.max(0, grown / Math.max(.001, seconds)) };
  });
}

function level(looks: Look[], value: (samples: Sample[]) => number): Point[] {
  return looks.map(({ at, samples }) => ({ at, value: value(samples) }));
}

let version = 0;
const listeners = new Set<() => void>();
onMeasure(() => {
  version++;
  listeners.forEach((listener) => { listener(); });
});

function useMeasures(name: MeasureName): Point[] {
  const now = useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => { listeners.delete(listener); };
  }, () => version, () => 0);
  // The page as it was exported has none, whatever there is by now.
  return now === 0 ? [] : measures(name).map(({ at, value }) => ({ at, value }));
}

const ms = (value: number) => `${Math.round(value)} ms`;
const perSecond = (value: number) => `${value.toFixed(1)} /s`;
const whole = (value: number) => Math.round(value).toLocaleString('en-IN');

export function Status() {
  const [looks, setLooks] = useState<Look[]>([]);
  const state = useLiveState();

  const ready = useQuery({
    queryKey: ['ready'],
    queryFn: ({ signal }) => api.ready(signal),
    refetchInterval: EVERY,
    retry: false,
    staleTime: 0,
  });
  const metrics = useQuery({
    queryKey: ['metrics'],
    queryFn: async ({ signal }) => parse(await api.metrics(signal)),
    refetchInterval: (query) => (
      query.state.error instanceof Problem && query.state.error.status === 403
        ? false : EVERY),
    retry: false,
    staleTime: 0,
  });
  const { data, dataUpdatedAt } = metrics;
  useEffect(() => {
    if (data) {
      setLooks((old) => [...old, { at: dataUpdatedAt, samples: data }].slice(-KEEP));
    }
  }, [data, dataUpdatedAt]);

  const apiTime = useMeasures('api_time');
  const renders = useMeasures('render_time');
  const latency = useMeasures('websocket_latency');
  const hits = useMeasures('cache_hit');
  let good = 0;
  const ratio = hits.map(({ at, value }, i) => {
    good += value;
    return { at, value: good / (i + 1) * 100 };
  });

  return (
    <>
      <h1>Status</h1>
      <section className={styles.section}>
        <h2>Server</h2>
        <dl className={styles.parts} tabIndex={0} aria-label="Parts of the server">
          <div data-good={ready.isSuccess}>
            <dt className={styles.nginx}>nginx</dt>
            <dd>{ready.isSuccess ? 'ready' : ready.isError ? ready.error.message : '…'}</dd>
          </div>
          {ready.isPending ? Array.from({ length: 6 }, (_, i) => (
            <div key={i} aria-hidden><dt>&nbsp;</dt><dd>&nbsp;</dd></div>
          )) : null}
          <Parts ready={ready.data} />
          <div data-good={state.status === 'open'}>
            <dt>live</dt>
            <dd>{STATES[state.status]}</dd>
          </div>
        </dl>
      </section>
      <section className={styles.section}>
        <h2>Its own measures</h2>
        {metrics.isError ? (
          <p className={styles.soft}>
            {metrics.error instanceof Problem && metrics.error.status === 403
              ? 'They are shown to operators only.' : inWords(metrics.error)}
          </p>
        ) : (
          <div className={styles.grid}>
            <Chart points={rate(looks, (s) => sum(s, 'atelier_generate_requests_total'))} label="Requests for pictures" format={perSecond} />
            <Chart points={rate(looks, (s) => sum(s, 'atelier_provider_calls_total'))} label="Calls to providers" format={perSecond} />
            <Chart points={rate(looks, (s) => sum(s, 'atelier_cache_answers_total'))} label="Pages of the feed" format={perSecond} />
            <Chart points={level(looks, (s) => sum(s, 'atelier_sockets_open'))} label="Open sockets" format={whole} />
            <Chart points={rate(looks, (s) => sum(s, 'atelier_sockets_messages_out_total'))} label="Live messages" format={perSecond} />
            <Chart points={level(looks, (s) => sum(s, 'atelier_cache_bytes') / 1048576)} label="Pages in memory" format={(v) => `${v.toFixed(1)} MB`} />
          </div>
        )}
      </section>
      <section className={styles.section}>
        <h2>This browser</h2>
        <div className={styles.grid}>
          <Chart points={apiTime} label="API" format={ms} />
          <Chart points={latency} label="WebSocket, there and back" format={ms} />
          <Chart points={renders} label="Renders over 16 ms" format={ms} />
          <Chart points={ratio} label="Answers from the cache" format={(v) => `${Math.round(v)} %`} />
        </div>
      </section>
    </>
  );
}

/* {"providers": {"groq": "ok"}, "redis": "ok"}, at whatever depth. */
function Parts({ ready }: { ready: Record<string, unknown> | undefined }) {
  const parts: [string, string][] = [];
  function walk(value: unknown, name: string, depth: number) {
    if (typeof value === 'string' && name !== 'status') {
      parts.push([name, value]);
    } else if (typeof value === 'object' && value !== null && depth < 3) {
      const { state, status } = value as Record<string, unknown>;
      if (depth > 0 && typeof (state ?? status) === 'string') {
        parts.push([name, String(state ?? status)]);
        return;
      }
      for (const [key, inner] of Object.entries(value)) {
        walk(inner, key, depth + 1);
      }
    }
  }
  walk(ready, '', 0);
  // Those that fail are seen first, where not all can be.
  parts.sort(([, a], [, b]) => Number(a === 'ok') - Number(b === 'ok'));
  return parts.map(([name, value]) => (
    <div key={name} data-good={value === 'ok'}>
      <dt>{name === 'postgres' ? 'PostgreSQL' : serviceOf(nameOf(name))}</dt>
      <dd>{value}</dd>
    </div>
  ));
}
