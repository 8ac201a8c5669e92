'use client';

import { useCallback, useEffect, useRef, useState } from 'react';
import {
  api, Problem, type Generation, type GenerationRequest,
} from '../lib/api';
import { generate } from '../lib/generate';
import { noteWords, remember } from '../lib/history';
import { withLine, type Trial } from '../lib/lines';
import { inWords } from '../lib/prompt';
import { tell } from '../lib/toast';
import { useWebSocket } from './useWebSocket';

export type Phase =
  | { is: 'idle' }
  | { is: 'asking'; request: GenerationRequest; since: number;
      trials: Trial[] }
  | { is: 'queued'; request: GenerationRequest; row: Generation; since: number }
  | { is: 'done'; request: GenerationRequest; row: Generation }
  | { is: 'failed'; request: GenerationRequest; code: string; detail: string;
      retryAfter?: number | undefined; trials: Trial[] };

const POLL = 10_000;

/** One picture from the click to the end, through the queue if need be. */
export function useGeneration() {
  const [phase, setPhase] = useState<Phase>({ is: 'idle' });
  const flight = useRef<AbortController>(null);
  const position = useRef<number>(undefined);

  useEffect(() => () => { flight.current?.abort(); }, []);

  const take = useCallback((row: Generation, request: GenerationRequest,
                            since: number) => {
    switch (row.status) {
      case 'done':
        remember(row);
        setPhase({ is: 'done', request, row });
        break;
      case 'failed':
        setPhase({
          is: 'failed', request, trials: row.attempts ?? [],
          code: row.code ?? '',
          detail: row.detail ?? 'No picture could be made of this.',
        });
        break;
      case 'cancelled':
        setPhase({ is: 'idle' });
        break;
      default:
        noteWords(row.id, request.prompt);
        setPhase((old) => ({
          is: 'queued', request, since,
          row: old.is === 'queued' ? { ...old.row, ...row } : row,
        }));
        if (row.status === 'queued' && row.position !== undefined
            && row.position !== position.current) {
          if (position.current === undefined) {
            tell('message', 'Request queued', {
              id: 'queue', description: `Position: ${row.position}`,
            });
          } else if (row.position < position.current) {
            tell('message', 'Processing queue', {
              id: 'queue',
              description: `${row.position} request${
                row.position === 1 ? '' : 's'} remaining`,
            });
          }
          position.current = row.position;
        }
    }
  }, []);

  const start = useCallback(async (request: GenerationRequest) => {
    const since = Date.now();
    flight.current?.abort();
    const controller = new AbortController();
    flight.current = controller;
    position.current = undefined;
    setPhase({ is: 'asking', request, since, trials: [] });
    try {
      const row = await generate(
        request, crypto.randomUUID(), controller.signal, (line) => {
          setPhase((old) => (controller.signal.aborted || old.is !== 'asking'
            ? old : { ...old, trials: withLine(old.trials, line) }));
        });
      if (!controller.signal.aborted) {
        take(row, request, since);
      }
    } catch (error) {
      if (!controller.signal.aborted) {
        const told = error instanceof Problem ? error.attempts : [];
        setPhase((old) => ({
          is: 'failed', request,
          code: error instanceof Problem ? error.code : '',
          detail: error instanceof Error ? error.message : String(error),
          retryAfter: error instanceof Problem ? error.retryAfter : undefined,
          // Of an answer that broke off, those that have ended are known.
          trials: told.length > 0 || old.is !== 'asking' ? told
            : old.trials.filter((one) => one.outcome !== undefined),
        }));
      }
    }
  }, [take]);

  const queued = phase.is === 'queued' ? phase : null;
  const id = queued?.row.id ?? null;

  const look = useCallback(async () => {
    if (queued === null) {
      return;
    }
    const mine = flight.current;
    try {
      const row = await api.generation(queued.row.id);
      // Meanwhile it may have been cancelled, or another one begun.
      if (flight.current === mine && !mine?.signal.aborted) {
        take(row, queued.request, queued.since);
      }
    } catch {
      // it will be told, or asked for again
    }
  }, [queued, take]);

  useWebSocket<Generation>(id === null ? null : `generate:${id}`, (row) => {
    if (queued === null || typeof row !== 'object' || row === null) {
      return;
    }
    if (row.status === 'done' && row.width === undefined) {
      void look();          // too long to be told whole
    } else {
      take({ ...row, id: queued.row.id }, queued.request, queued.since);
    }
  }, { onGap: () => { void look(); } });

  // For when nothing live comes through.
  useEffect(() => {
    if (id === null) {
      return;
    }
    const timer = setInterval(() => { void look(); }, POLL);
    return () => { clearInterval(timer); };
  }, [id, look]);

  const cancel = useCallback(() => {
    flight.current?.abort();
    setPhase({ is: 'idle' });
    if (id !== null) {
      api.cancel(id).catch((error: unknown) => {
        tell('error', 'It could not be cancelled', {
          description: inWords(error),
        });
      });
    }
  }, [id]);

  return { phase, start, cancel };
}
