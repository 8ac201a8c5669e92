'use client';

import {
  useMutation, useQueryClient, type QueryKey, type UseMutationResult,
} from '@tanstack/react-query';
import { tell, untell } from '../lib/toast';

export interface OptimisticMutation<TData, TVariables, TResult> {
  /** What is changed, and by which name such changes are told apart. */
  queryKey: (variables: TVariables) => QueryKey;
  mutationFn: (variables: TVariables) => Promise<TResult>;
  /** What it will look like when the server has done it. */
  optimistic: (old: TData | undefined, variables: TVariables) =>
    TData | undefined;
  /** What the server's answer makes of it; nothing: it is fetched anew. */
  settle?: (result: TResult, variables: TVariables) => TData;
}

interface Undo<TData> {
  before: TData | undefined;
}

/**
 * A change that is shown at once, and taken back if the server refuses it,
 * with a toast that offers to try again.  While one is under way no refetch
 * may show the old state again, and changes of the same thing go out in
 * order, so that the last click is what counts.
 */
export function useOptimisticMutation<TData, TVariables, TResult>(
  options: OptimisticMutation<TData, TVariables, TResult>,
  scope: string,
): UseMutationResult<TResult, Error, TVariables, Undo<TData>> {
  const queries = useQueryClient();
  const mutationKey = ['optimistic', scope];

  const mutation: UseMutationResult<TResult, Error, TVariables, Undo<TData>> =
    useMutation<TResult, Error, TVariables, Undo<TData>>({
      mutationKey,
      scope: { id: scope },
      mutationFn: options.mutationFn,

      onMutate: async (variables) => {
        const queryKey = options.queryKey(variables);
        await queries.cancelQueries({ queryKey });
        const before = queries.getQueryData<TData>(queryKey);
        queries.setQueryData<TData>(queryKey,
          (old) => options.optimistic(old, variables));
        return { before };
      },

      onError: (_error, variables, undo) => {
        // One that came after it has the say about what is shown.
        if (queries.isMutating({ mutationKey }) <= 1 && undo) {
          queries.setQueryData(options.queryKey(variables), undo.before);
        }
        tell('error', 'Update failed', {
          id: `undo:${scope}`,
          description: 'Changes reverted',
          action: {
            label: 'Retry',
            onClick: () => { mutation.mutate(variables); },
          },
        });
      },

      onSuccess: (result, variables) => {
        if (options.settle && queries.isMutating({ mutationKey }) <= 1) {
          queries.setQueryData(options.queryKey(variables),
                               options.settle(result, variables));
        }
        untell(`undo:${scope}`);
        tell('success', 'Updated', {
          id: 'updated', description: 'Changes saved', duration: 1500,
        });
      },

      onSettled: async (_result, error, variables) => {
        if ((error || !options.settle)
            && queries.isMutating({ mutationKey }) <= 1) {
          await queries.invalidateQueries({
            queryKey: options.queryKey(variables),
          });
        }
      },
    });

  return mutation;
}
