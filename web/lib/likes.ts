/*
 * The hearts of designs as they are known here, in the queries' cache: what is
 * shown is asked for together, and kept without an observer or a timer for each
 * of the thousands that come and go.
 */

import type { QueryClient } from '@tanstack/react-query';
import { api, type Like } from './api';
import { batched } from './batch';

const TOGETHER = 100;   // ids in one request; the server takes 200
const KEPT = 500;
const FRESH = 60_000;   // ms

export class Likes {
  private readonly queries: QueryClient;
  private readonly shown = new Map<string, Set<() => void>>();
  private readonly asked = new Set<string>();
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
      } else if (event.type === 'updated') {
        this.shown.get(id)?.forEach((changed) => { changed(); });
        if (event.action.type === 'invalidate') {
          this.ask(id);
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
    if (this.asked.has(id) || (state && !state.isInvalidated
        && Date.now() - state.dataUpdatedAt < FRESH)) {
      return;
    }
    this.asked.add(id);
    this.one(id).then((like) => {
      if (this.asked.delete(id) && like) {
        this.set(like);
      }
    }, () => { this.asked.delete(id); });
  }

  /** What has been asked for is not to be shown: it was clicked since. */
  unask(id: string): void {
    this.asked.delete(id);
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
