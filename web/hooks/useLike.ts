'use client';

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { api, type Like } from '../lib/api';
import { batched } from '../lib/batch';
import { useOptimisticMutation } from './useOptimisticMutation';
import { useWebSocket } from './useWebSocket';

const MOST = 100;       // ids in one request; the server takes 200

// What was ours when it was last seen: a card that comes back shows it at once.
const ours = new Set<string>();

export function likedHere(id: string): boolean {
  return ours.has(id);
}

const one = batched<Like>(async (ids) => {
  const { results } = await api.likes(ids);
  return new Map(results.map((like) => [like.id, like]));
}, MOST);

/** The heart of a design: whether it is ours, how many there are, live. */
export function useLike(id: string, known: number) {
  const queries = useQueryClient();
  const queryKey = ['like', id];
  const query = useQuery({
    queryKey,
    queryFn: async () => await one(id) ?? { id, liked: false, likes: known },
    placeholderData: { id, liked: likedHere(id), likes: known },
    staleTime: 60_000,
    // Thousands of cards come and go.
    gcTime: 30_000,
    retry: false,
  });
  const { data, isPlaceholderData } = query;
  useEffect(() => {
    if (data && !isPlaceholderData) {
      if (data.liked) {
        ours.add(id);
      } else {
        ours.delete(id);
      }
    }
  }, [id, data, isPlaceholderData]);

  // A card that only flies past asks the server for nothing.
  useWebSocket<{ likes: number }>(`design:${id}`, (data) => {
    if (typeof data?.likes === 'number') {
      queries.setQueryData<Like>(queryKey, (old) => ({
        id, liked: likedHere(id), ...old, likes: data.likes,
      }));
    }
  }, {
    delay: 400,
    onGap: () => { void queries.invalidateQueries({ queryKey }); },
  });

  const mutation = useOptimisticMutation<Like, boolean, Like>({
    queryKey: () => queryKey,
    mutationFn: (liked) => api.like(id, liked),
    optimistic: (old, liked) => {
      const before = old ?? { id, liked: likedHere(id), likes: known };
      const step = Number(liked) - Number(before.liked);
      return { ...before, liked, likes: Math.max(0, before.likes + step) };
    },
    settle: (like) => like,
  }, `like:${id}`);

  const like = data ?? { id, liked: false, likes: known };
  return {
    liked: like.liked,
    likes: like.likes,
    toggle: () => { mutation.mutate(!like.liked); },
  };
}
