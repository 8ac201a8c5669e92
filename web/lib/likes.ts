/*
 * The hearts of designs as they are known here, in the queries' cache: what is
 * shown is asked for together, and kept without an observer or a timer for each
 * of the thousands that come and go.
 */

import type { QueryClient } from '@tanstack/react-query';
import { api, pauseAfter, Problem, refused, type Like } from './api';
import { batched } from './batch';

const TOGETHER = 100;   // ids in one request; the server takes 200
const KEPT = 500;
const FRESH = 60_000;   // ms
const AGAIN = 2000;     // ms, after one that failed; twice as many each time
const DOUBLED = 4;      // times

interface Question {
  /** Its answer may be older than what has happened since. */
  again: boolean;
  /** How many like it, as was told since. */
  told?: number;
}

const SCOPE = 'like:';

/** Clicks of one heart: the server has them in order. */
export function scopeOf(id: string): string {
  return SCOPE + id;
}

function idOf(scope = ''): string | undefined {
  return scope.startsWith(SCOPE) ? scope.slice(SCOPE.length) : undefined;
}

export class Likes {
  private readonly queries: QueryClient;
  private readonly shown = new Map<string, Set<() => void>>();
  /** The newest question about each that has no answer yet. */
  private readonly asked = new Map<string, Question>();
  /** Those that are to be asked about after the pause, whatever is known. */
  private readonly late = new Set<string>();
  private pause: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  /** In the order they came. */
  private readonly kept = new Set<string>();
  private readonly one = batched<Like>(async (ids) => {
    const { results } = await api.likes(ids);
    return new Map(results.map((like) => [like.id, like]));
  }, TOGETHER);

  constructor(queries: QueryClient) {
    this.queries = queries;
    queries.setQueryDefaults(['like'], { gcTime: Infinity });
    queries.getQueryCache().subscribe((event) => {
      const [kind, id] = event.query.queryKey as [string, string];
      if (kind !== 'like') {
        return;
      }
      if (event.type === 'added') {
        this.kept.add(id);
        this.drop();
      } else if (event.type === 'removed') {
        this.kept.delete(id);
        this.late.delete(id);
      } else if (event.type === 'updated') {
        this.shown.get(id)?.forEach((changed) => { changed(); });
        if (event.action.type === 'invalidate') {
          this.missed(id);
        }
      }
    });
    // A click makes old what was asked for before; and what was to be asked
    // meanwhile, is when all of them are done.
    queries.getMutationCache().subscribe((event) => {
      const id = event.type === 'updated'
        ? idOf(event.mutation.options.scope?.id) : undefined;
      if (id !== undefined && event.type === 'updated') {
        if (event.action.type === 'pending') {
          this.asked.delete(id);
        } else if (this.asked.has(id) && !this.changing(id)) {
          this.put(id);
        }
      }
    });
  }

  get(id: string): Like | undefined {
    return this.queries.getQueryData<Like>(['like', id]);
  }

  set(like: Like, updatedAt = Date.now()): void {
    this.queries.setQueryData<Like>(['like', like.id], like, { updatedAt });
  }

  /** Calls back when it has changed, until the returned call. */
  watch(id: string, changed: () => void): () => void {
    const all = this.shown.get(id) ?? new Set();
    this.shown.set(id, all.add(changed));
    return () => {
      if (all.delete(changed) && all.size === 0) {
        this.shown.delete(id);
      }
    };
  }

  /** Asks the server, unless it was asked lately. */
  ask(id: string): void {
    const state = this.queries.getQueryState(['like', id]);
    if (!this.asked.has(id) && (this.late.has(id) || !state
        || state.isInvalidated || Date.now() - state.dataUpdatedAt >= FRESH)) {
      this.put(id);
    }
  }

  /** What is known may be old by now, and so may be what is on its way. */
  missed(id: string): void {
    const question = this.asked.get(id);
    if (question) {
      question.again = true;
    } else {
      this.put(id);
    }
  }

  /** So many like it by now. */
  told(id: string, likes: number): void {
    const question = this.asked.get(id);
    const like = this.get(id);
    if (question) {
      question.told = likes;
    }
    if (like) {
      if (like.likes !== likes) {
        this.set({ ...like, likes });
      }
    } else {
      this.ask(id);
    }
  }

  private put(id: string): void {
    if (this.pause !== undefined) {
      this.asked.delete(id);
      this.late.add(id);
      return;
    }
    const question: Question = { again: false };
    this.late.delete(id);
    this.asked.set(id, question);
    if (this.changing(id)) {
      return;           // and is asked for when that is done
    }
    this.one(id).then((like) => {
      if (this.asked.get(id) === question) {
        const { again, told = like?.likes } = question;
        this.asked.delete(id);
        this.failures = 0;
        if (like && told !== undefined) {
          this.set({ ...like, likes: told });
        }
        if (again || (like && told !== like.likes)) {
          this.put(id);
        }
      }
    }, (error) => {
      if (this.asked.get(id) === question) {
        this.asked.delete(id);
        this.putOff(id, error);
      }
    });
  }

  /**
   * Those that could not be had are asked for again, while they are shown;
   * nothing is until then.
   */
  private putOff(id: string, error: unknown): void {
    if (refused(error)) {
      return;
    }
    this.late.add(id);
    this.pause ??= setTimeout(this.goOn, pauseAfter(
      error, AGAIN * 2 ** Math.min(this.failures++, DOUBLED)));
    if (!(error instanceof Problem) || error.status === 0) {
      window.addEventListener('online', this.goOn);
    }
  }

  private readonly goOn = (): void => {
    clearTimeout(this.pause);
    this.pause = undefined;
    window.removeEventListener('online', this.goOn);
    for (const id of this.late) {
      if (this.shown.has(id)) {
        this.put(id);
      } else if (!this.get(id)) {
        this.late.delete(id);   // nobody has to be told that it is old
      }
    }
  };

  /** It was clicked, and the server has not answered yet. */
  private changing(id: string): boolean {
    return this.queries.isMutating({
      predicate: ({ options }) => options.scope?.id === scopeOf(id),
    }) > 0;
  }

  private drop(): void {
    for (const id of this.kept) {
      if (this.kept.size <= KEPT) {
        break;
      }
      if (!this.shown.has(id)) {
        this.queries.removeQueries({ queryKey: ['like', id], exact: true });
      }
    }
  }
}

const known = new WeakMap<QueryClient, Likes>();

export function likesOf(queries: QueryClient): Likes {
  const likes = known.get(queries) ?? new Likes(queries);
  known.set(queries, likes);
  return likes;
}
