'use client';

import { useInfiniteQuery } from '@tanstack/react-query';
import Link from 'next/link';
import { useCallback, useMemo } from 'react';
import { useScrollMemory } from '../hooks/useScrollMemory';
import { api, Problem, type Design } from '../lib/api';
import { AHEAD, listOf } from '../lib/designs';
import { inWords } from '../lib/prompt';
import { useQueryParams } from '../lib/url';
import { LaterDesignDialog } from './LaterDesignDialog';
import { LaterWall } from './LaterWall';
import { NextPage } from './NextPage';
import { Note } from './Note';
import styles from './Likes.module.css';

/** The visitor's own likes, newest first. */
export function Likes() {
  const { get, change } = useQueryParams();
  const opened = get('design');
  const likes = useInfiniteQuery({
    queryKey: ['likes', 'own'],
    queryFn: ({ pageParam, signal }) => api.ownLikes(pageParam, signal),
    initialPageParam: '/designs/likes?perPage=100',
    getNextPageParam: (page) => page.next ?? undefined,
    // Other pages change it.
    staleTime: 0,
    refetchOnMount: 'always',
  });
  const designs = useMemo(() => (likes.data?.pages ?? [])
    .flatMap(({ results }) => results)
    .map((like) => like.design && { ...like.design, likes: like.likes })
    .filter((design): design is Design => Boolean(design)),
  [likes.data]);
  const shelf = useMemo(() => listOf(designs), [designs]);
  const total = (likes.data?.pages ?? [])
    .reduce((sum, { results }) => sum + results.length, 0);
  useScrollMemory('likes', designs.length > 0);

  const {
    hasNextPage, isFetching, isFetchingNextPage, isFetchNextPageError, fetchNextPage,
  } = likes;
  const show = useCallback((_first: number, last: number) => {
    if (last >= shelf.count - AHEAD && hasNextPage && !isFetching
        && !isFetchNextPageError) {
      void fetchNextPage();
    }
  }, [shelf, hasNextPage, isFetching, isFetchNextPageError, fetchNextPage]);
  const hrefOf = useCallback((id: string) => (
    `/likes?design=${encodeURIComponent(id)}`), []);
  const open = useCallback((id: string) => { change({ design: id }, 'push'); },
                           [change]);
  const design = designs.find(({ id }) => id === opened);
  // What has failed on a visit before is being asked for again.
  const failed = likes.isError && !isFetchNextPageError
    && likes.isFetchedAfterMount;
  const stranger = failed && likes.error instanceof Problem
    && likes.error.status === 403;

  return (
    <>
      <h1>Likes</h1>
      {failed && !stranger ? (
        <Note
          alert
          title="Your likes cannot be read just now"
          action={(
            <button type="button" className="button" onClick={() => { void likes.refetch(); }}>
              Try again
            </button>
          )}
        >
          {inWords(likes.error)}
        </Note>
      ) : null}
      {stranger || (likes.isSuccess && total === 0) ? (
        <Note
          title="Nothing here yet"
          action={<Link className="button" href="/feed" prefetch={false}>Discover designs</Link>}
        >
          What you give a heart is kept here.
        </Note>
      ) : null}
      {total > designs.length ? (
        <p className={styles.missing}>
          {`${total - designs.length} of your likes cannot be shown: their designs are not known here any more.`}
        </p>
      ) : null}
      {designs.length > 0 ? (
        <div style={{ marginTop: '1.8rem' }}>
          <LaterWall
            shelf={shelf}
            count={shelf.count}
            onOpen={open}
            hrefOf={hrefOf}
            onShow={show}
            label="Liked designs"
            more={hasNextPage}
            busy={isFetching}
          />
          <NextPage fetching={isFetchingNextPage} failed={isFetchNextPageError} again={fetchNextPage} />
        </div>
      ) : null}
      {opened ? (
        <LaterDesignDialog
          id={opened}
          known={design}
          link={hrefOf(opened)}
          onClose={() => { change({ design: undefined }, 'replace'); }}
        />
      ) : null}
    </>
  );
}
