'use client';

import { useInfiniteQuery } from '@tanstack/react-query';
import { Search, X } from 'lucide-react';
import { useCallback, useEffect, useState } from 'react';
import { usePages } from '../hooks/usePages';
import { usePerformanceTracking } from '../hooks/usePerformanceTracking';
import { useScrollMemory } from '../hooks/useScrollMemory';
import { api, search } from '../lib/api';
import { AHEAD, pageOf } from '../lib/designs';
import { inWords } from '../lib/prompt';
import { nameOf, sourceNames } from '../lib/sources';
import { useQueryParams, withChanges } from '../lib/url';
import { LaterDesignDialog } from './LaterDesignDialog';
import { LaterWall } from './LaterWall';
import { NextPage } from './NextPage';
import { Note } from './Note';
import styles from './Feed.module.css';

const colors = ['red', 'orange', 'yellow', 'green', 'turquoise', 'blue',
  'violet', 'pink', 'brown', 'black', 'gray', 'white'];

export function Feed() {
  usePerformanceTracking('feed');
  const { get, change } = useQueryParams();
  const query = get('query');
  const orientation = get('orientation');
  const color = get('color');
  const source = get('source');
  const opened = get('design');
  const [text, setText] = useState(query);
  useEffect(() => { setText(query); }, [query]);

  const first = `/designs${search({
    query, orientation, color, source, perPage: 60,
  })}`;
  const feed = useInfiniteQuery({
    queryKey: ['designs', first],
    queryFn: async ({ pageParam, signal }) => (
      pageOf(pageParam, await api.designs(pageParam, signal))),
    initialPageParam: first,
    getNextPageParam: (page) => page.next,
    // Pages are never the same twice, and a long feed is not fetched anew page
    // by page because somebody comes back to it.
    structuralSharing: false,
    refetchOnMount: ({ state }) => (state.data?.pages.length ?? 0) <= 3,
  });

  const { pages, look } = usePages(feed.data?.pages);
  const { count } = pages;

  useScrollMemory(`feed:${first}`, count > 0);

  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = feed;
  const show = useCallback((from: number, to: number, focused?: number) => {
    look(from, to, focused);
    if (to >= count - AHEAD && hasNextPage && !isFetchingNextPage
        && !isFetchNextPageError) {
      void fetchNextPage();
    }
  }, [look, count, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);

  const open = useCallback((id: string) => { change({ design: id }, 'push'); },
                           [change]);
  const base = `/feed${withChanges('', { query, orientation, color, source })}`;
  const hrefOf = useCallback((id: string) => (
    `${base}${base.includes('?') ? '&' : '?'}design=${encodeURIComponent(id)}`),
  [base]);
  const close = useCallback(() => { change({ design: undefined }, 'replace'); },
                            [change]);
  const filtered = orientation !== '' || color !== '' || source !== '';
  const last = feed.data?.pages.at(-1);
  const late = last ? Object.entries(last.providers)
    .filter(([, state]) => state.outcome !== 'ok' && state.outcome !== 'disabled')
    .map(([name]) => nameOf(name)) : [];

  return (
    <>
      <div className={styles.top}>
        <h1>Discover</h1>
        <form
          className={styles.search}
          role="search"
          onSubmit={(event) => {
            event.preventDefault();
            change({ query: text.trim(), design: undefined }, 'push');
          }}
        >
          <Search size={18} strokeWidth={1.7} aria-hidden />
          <input
            className="field"
            type="search"
            aria-label="Search designs"
            placeholder="green sofa, Japanese bath, small balcony"
            value={text}
            onChange={(event) => { setText(event.target.value); }}
          />
        </form>
        <div className={styles.filters}>
          <select
            className="field"
            aria-label="Orientation"
            value={orientation}
            onChange={(event) => { change({ orientation: event.target.value }, 'push'); }}
          >
            <option value="">Any shape</option>
            <option value="landscape">Landscape</option>
            <option value="portrait">Portrait</option>
            <option value="square">Square</option>
          </select>
          <select
            className="field"
            aria-label="Color"
            value={color}
            onChange={(event) => { change({ color: event.target.value }, 'push'); }}
          >
            <option value="">Any color</option>
            {colors.map((name) => <option key={name} value={name}>{name}</option>)}
          </select>
          <select
            className="field"
            aria-label="Source"
            value={source}
            onChange={(event) => { change({ source: event.target.value }, 'push'); }}
          >
            <option value="">All sources</option>
            {sourceNames.map((name) => (
              <option key={name} value={name}>{nameOf(name)}</option>
            ))}
          </select>
          {filtered ? (
            <button
              type="button"
              className="button quiet slim"
              onClick={() => {
                change({ orientation: '', color: '', source: '' }, 'push');
              }}
            >
              <X size={16} aria-hidden /> Clear
            </button>
          ) : null}
        </div>
      </div>

      {feed.isPending ? <Skeleton /> : null}
      {feed.isError && count === 0 ? (
        <Note
          alert
          title="No designs could be fetched"
          action={(
            <button type="button" className="button" onClick={() => { void feed.refetch(); }}>
              Try again
            </button>
          )}
        >
          {inWords(feed.error)}
        </Note>
      ) : null}
      {feed.isSuccess && count === 0 ? (
        <Note title="Nothing was found">
          Try fewer words, or another color.
        </Note>
      ) : null}
      {count > 0 ? (
        <LaterWall
          shelf={pages}
          count={count}
          onOpen={open}
          hrefOf={hrefOf}
          onShow={show}
          label={query ? `Designs for ${query}` : 'Designs'}
          more={hasNextPage}
          busy={isFetchingNextPage}
        />
      ) : null}

      {count > 0 ? (
        <NextPage fetching={isFetchingNextPage} failed={isFetchNextPageError} again={fetchNextPage}>
          {!hasNextPage ? (
            late.length > 0
              ? `That is all for now. ${late.join(', ')} may have more in a minute.`
              : 'That is all there is.'
          ) : null}
        </NextPage>
      ) : null}

      {opened ? (
        <LaterDesignDialog id={opened} known={pages.find(opened)} link={hrefOf(opened)} onClose={close} />
      ) : null}
    </>
  );
}

function Skeleton() {
  return (
    <div className={styles.skeleton} aria-label="Designs are being fetched" role="status">
      {Array.from({ length: 12 }, (_, i) => <span key={i} data-kind={i % 3} />)}
    </div>
  );
}
