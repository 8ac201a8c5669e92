'use client';

import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useSyncExternalStore } from 'react';
import { api, type Like } from '../lib/api';
import { likesOf, scopeOf } from '../lib/likes';
import { live } from '../lib/live-client';
import { whenStayed } from '../lib/stay';
import { useOptimisticMutation } from './useOptimisticMutation';

// After so many ms a card does not only fly past; and is read.
export const STAY = 150;
const READ = 550;

/**
 * Whether a design is ours, and how many like it, live; passing: not before
 * somebody stays with it.
 */
export function useLike(id: string, likes: number, passing = false): Like {
  const known = likesOf(useQueryClient());
  const like = useSyncExternalStore(
    useCallback((changed) => known.watch(id, changed), [known, id]),
    () => known.get(id), () => undefined);

  useEffect(() => {
    let stop: (() => void) | undefined;
    const ask = () => { known.ask(id); };
    const listen = () => {
      stop = live().subscribe(`design:${id}`, {
        message: (data) => {
          const now = (data as { likes?: unknown } | null)?.likes;
          if (typeof now === 'number') {
            known.told(id, now);
          }
        },
        gap: () => { known.missed(id); },
      });
    };
    const cancels = passing
      ? [whenStayed(STAY, ask), whenStayed(READ, listen, true)] : [];
    if (!passing) {
      ask();
      listen();
    }
    return () => {
      cancels.forEach((cancel) => { cancel(); });
      stop?.();
    };
  }, [known, id, passing]);

  return like ?? { id, liked: false, likes };
}

/** Gives the heart, or takes it back, at once. */
export function useToggle(id: string, likes: number): () => void {
  const known = likesOf(useQueryClient());
  const before = () => known.get(id) ?? { id, liked: false, likes };
  const { mutate } = useOptimisticMutation<Like, boolean, Like>({
    queryKey: () => ['like', id],
    mutationFn: (liked) => api.like(id, liked),
    optimistic: (_old, liked) => {
      const old = before();
      const step = Number(liked) - Number(old.liked);
      return { ...old, liked, likes: Math.max(0, old.likes + step) };
    },
    settle: (like) => like,
  }, scopeOf(id));
  return () => {
    const old = before();
    if (!known.get(id)) {
      // What a refusal is to give back.
      known.set(old, 0);
    }
    mutate(!old.liked);
  };
}
