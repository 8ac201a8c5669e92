'use client';

import { Download, PencilLine, RotateCcw, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { Phase } from '../hooks/useGeneration';
import type { Generation, GenerationRequest } from '../lib/api';
import {
  enhanced, ideas, sent, serviceOf, trouble, wording, type Shape,
} from '../lib/prompt';
import { Attempts } from './Attempts';
import { CopyLink } from './CopyLink';
import { useSeconds, Waiting } from './Waiting';
import styles from './Canvas.module.css';
import waiting from './Waiting.module.css';

/* How it stands, for those who listen; toasts tell of the queue, and a failure
 * is an alert. */
function said(phase: Phase): string {
  switch (phase.is) {
    case 'asking':
      return 'Making your picture';
    case 'queued':
      return phase.row.status === 'running' ? 'Your picture is being made' : '';
    case 'done':
      return 'Your picture is ready';
    default:
      return '';
  }
}

/* A room before there is one. */
function Empty() {
  return (
    <svg viewBox="0 0 480 320" className={styles.sketch} aria-hidden>
      <g fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinecap="round" strokeLinejoin="round">
        <path d="M30 262h420M70 262V60h340v202" opacity=".45" />
        <path d="M110 96h92v92h-92zM156 96v92M110 142h92" />
        <path d="M236 262v-34q0-12 12-12h116q12 0 12 12v34M248 216v-22q0-14 14-14h88q14 0 14 14v22M306 180v36" />
        <path d="M140 262v-58M140 204q-22-6-26-30 24 0 26 30 2-34 28-36-2 28-28 36M126 262l3-22h22l3 22" />
        <path d="M330 60v38M308 122q4-24 22-24t22 24z" />
      </g>
    </svg>
  );
}

/* Why there is no picture, and who was asked for it. */
function Failure({ phase, onRetry, onChange }: {
  phase: Extract<Phase, { is: 'failed' }>;
  onRetry: (request: GenerationRequest) => void;
  onChange: () => void;
}) {
  const [title, words] = trouble(phase.code, phase.detail, phase.retryAfter);
  return (
    <div className={waiting.wait} role="alert">
      <span>{title}</span>
      <small>{words}</small>
      <Attempts trials={phase.trials} />
      {wording(phase.code) ? (
        <button type="button" className="button quiet slim" onClick={onChange}>
          <PencilLine size={16} aria-hidden /> Change the words
        </button>
      ) : (
        <button
          type="button"
          className="button quiet slim"
          onClick={() => { onRetry(phase.request); }}
        >
          <RotateCcw size={16} aria-hidden /> Try again
        </button>
      )}
    </div>
  );
}

function Picture({ row }: { row: Generation }) {
  const [loaded, setLoaded] = useState(false);
  return (
    // The pictures of this server are there in one size.
    // eslint-disable-next-line @next/next/no-img-element
    <img
      className={styles.picture}
      data-loaded={loaded || undefined}
      ref={(img) => { if (img?.complete) { setLoaded(true); } }}
      onLoad={() => { setLoaded(true); }}
      src={row.url}
      width={row.width}
      height={row.height}
      alt={row.prompt ?? 'The picture of your room'}
    />
  );
}

export function Canvas({ phase, shape, onCancel, onChange, onIdea, onRetry }: {
  phase: Phase;
  shape: Shape;
  onCancel: () => void;
  onChange: () => void;
  /** Missing while there are words of one's own, which would be lost. */
  onIdea: ((prompt: string) => void) | undefined;
  onRetry: (request: GenerationRequest) => void;
}) {
  const since = phase.is === 'asking' || phase.is === 'queued'
    ? phase.since : null;
  const seconds = useSeconds(since);
  const request = phase.is === 'idle' ? null : phase.request;
  const place = useRef<HTMLElement>(null);
  useEffect(() => {
    // Beside the form there is nothing to do; below it, it may be out of sight.
    if (phase.is === 'asking') {
      place.current?.scrollIntoView({ behavior: 'smooth', block: 'nearest' });
    }
  }, [phase.is]);
  // The button that does it is gone with what it was for.
  const stay = () => { place.current?.focus({ preventScroll: true }); };
  const row = phase.is === 'done' || phase.is === 'queued' ? phase.row : null;
  const made = phase.is === 'done' ? sent(phase.row.enhancedPrompt) : null;
  const width = (phase.is === 'done' ? row?.width : request?.width)
    ?? shape.width;
  const height = (phase.is === 'done' ? row?.height : request?.height)
    ?? shape.height;

  return (
    <section ref={place} className={styles.canvas} aria-label="The picture" tabIndex={-1}>
      <p className="hidden" role="status">{said(phase)}</p>
      <div
        className={`${styles.frame} ${since === null ? '' : waiting.glow}`}
        data-phase={phase.is}
        data-tall={height > width || undefined}
        data-shape={shape.name}
        // Never in the exported page, where the policy allows no style.
        style={request ? { aspectRatio: `${width} / ${height}` } : undefined}
      >
        {phase.is === 'idle' ? <Empty /> : null}
        {phase.is === 'asking' ? (
          <div className={waiting.wait}>
            <span>
              {phase.trials.some((one) => one.outcome === 'won')
                ? 'Here it comes' : 'Making your picture'}
            </span>
            <small>{seconds.toFixed(1)} s</small>
            <Attempts trials={phase.trials} live />
          </div>
        ) : null}
        {phase.is === 'queued' ? <Waiting row={phase.row} /> : null}
        {phase.is === 'failed' ? (
          <Failure
            phase={phase}
            onChange={onChange}
            onRetry={(again) => { stay(); onRetry(again); }}
          />
        ) : null}
        {phase.is === 'done' ? <Picture key={phase.row.id} row={phase.row} /> : null}
      </div>

      <div className={styles.below}>
        {request && phase.is !== 'failed' ? (
          <p className={styles.prompt}>
            {made?.words ?? enhanced(request)}
            {made?.without ? <span>Left out: {made.without}</span> : null}
          </p>
        ) : null}
        {phase.is === 'idle' && onIdea ? (
          <div className={styles.ideas}>
            <p className="label">Begin with one of these</p>
            {ideas.map((idea) => (
              <button
                key={idea}
                type="button"
                onClick={() => { onIdea(idea); }}
              >
                {idea}
              </button>
            ))}
          </div>
        ) : null}
        {since !== null ? (
          <button
            type="button"
            className="button quiet slim"
            onClick={() => { stay(); onCancel(); }}
          >
            <X size={16} aria-hidden /> Cancel
          </button>
        ) : null}
        {phase.is === 'done' ? (
          <>
            <div className={styles.actions}>
              <a className="button quiet slim" href={phase.row.url} download>
                <Download size={16} aria-hidden /> Download
              </a>
              <CopyLink path={`/pictures?picture=${phase.row.id}`} slim />
              <button
                type="button"
                className="button quiet slim"
                onClick={() => { stay(); onRetry(phase.request); }}
              >
                <RotateCcw size={16} aria-hidden /> Make another
              </button>
            </div>
            <details className={styles.how}>
              <summary>
                <span>{serviceOf(phase.row.provider ?? '')}</span>
                {phase.row.latencyMs === undefined
                  ? '' : ` · ${(phase.row.latencyMs / 1000).toFixed(2)} s`}
                {phase.row.attempts ? ` · ${phase.row.attempts.length} asked` : ''}
              </summary>
              <Attempts trials={phase.row.attempts} />
            </details>
          </>
        ) : null}
      </div>
    </section>
  );
}
