'use client';

import { useQuery, useQueryClient } from '@tanstack/react-query';
import Link from 'next/link';
import { useEffect, useRef, useState } from 'react';
import { useWebSocket } from '../hooks/useWebSocket';
import { api, Problem, type Generation } from '../lib/api';
import { forget, remembered, wordsOf } from '../lib/history';
import { inWords, trouble } from '../lib/prompt';
import { tell } from '../lib/toast';
import { useQueryParams } from '../lib/url';
import { Dialog } from './Dialog';
import { Note } from './Note';
import { PictureDialog } from './PictureDialog';
import { Waiting, waits } from './Waiting';
import styles from './Pictures.module.css';
import waiting from './Waiting.module.css';

const KEY = ['generations'];

/* Servers without a list of their own, and visitors unknown to them. */
function unlisted(error: unknown): boolean {
  return error instanceof Problem && [403, 404, 405].includes(error.status);
}

interface Mine {
  rows: Generation[];
  next?: string | null | undefined;
}

/* The first page; instead is what is shown if the server cannot tell. */
async function list(signal: AbortSignal, instead: Generation[]): Promise<Mine> {
  try {
    const { results, next } = await api.generations(signal);
    return results.length > 0 ? { rows: results, next } : { rows: remembered() };
  } catch (error) {
    if (unlisted(error)) {
      return { rows: remembered() };
    }
    if (instead.length > 0) {
      return { rows: instead };
    }
    throw error;
  }
}

async function further(path: string): Promise<Mine> {
  const { results, next } = await api.generations(undefined, path);
  return { rows: results, next };
}

/*
 * The first page as it is now, with what was shown after it.  To read all
 * pages again would use up the requests that a visitor has for new pictures.
 */
function renewed(first: Mine, old: Mine[]): Mine[] {
  const last = first.rows.at(-1);
  const shown = old.flatMap((page) => page.rows);
  // What has ended does not wait again: that was told while this was read.
  const ended = new Map(shown.filter((one) => !waits(one))
    .map((one) => [one.id, one]));
  const now = { ...first, rows: first.rows.map((one) => (
    waits(one) ? ended.get(one.id) ?? one : one)) };
  const at = shown.findIndex(({ id }) => id === last?.id);
  // If the last one is new, others may be between it and what was shown.
  const rest = at < 0 || !first.next ? [] : shown.slice(at + 1);
  return rest.length > 0
    ? [now, { rows: rest, next: old.at(-1)?.next }] : [now];
}

const withRows = (change: (rows: Generation[]) => Generation[]) => (
  (old: Mine[] | undefined) => old?.map((page) => (
    { ...page, rows: change(page.rows) })));

/* What is told of a picture that is waited for, wherever it is shown. */
function useNews(row: Generation | undefined): void {
  const queries = useQueryClient();
  const id = row && waits(row) ? row.id : null;

  const take = (news: Generation) => {
    const newer = (one: Generation) => (
      one.id === id ? { ...one, ...news, id: one.id } : one);
    queries.setQueryData<Mine[]>(KEY, withRows((rows) => rows.map(newer)));
    queries.setQueryData<Generation>(['generation', id],
                                     (old) => old && newer(old));
  };
  const look = () => {
    if (id !== null) {
      // What is known of it stays, if there is no answer.
      api.generation(id).then(take, () => {});
    }
  };

  useWebSocket<Generation>(id === null ? null : `generate:${id}`, (news) => {
    take(news);
    if (news.status === 'done' && news.width === undefined) {
      look();           // too long to be told whole
    }
  }, {
    onGap: () => {
      look();
      // Others may be new.  Once for all tiles.
      void queries.invalidateQueries({ queryKey: KEY }, { cancelRefetch: false });
    },
  });
}

function Tile({ row, onOpen }: { row: Generation; onOpen: () => void }) {
  useNews(row);
  const words = row.prompt ?? wordsOf(row.id);

  return (
    <li className={styles.tile}>
      <button type="button" onClick={onOpen}>
        {row.status === 'done' && row.url ? (
          // eslint-disable-next-line @next/next/no-img-element
          <img
            src={row.url}
            width={row.width}
            height={row.height}
            alt={row.prompt ?? 'A picture of yours'}
            loading="lazy"
            decoding="async"
          />
        ) : null}
        {waits(row) ? (
          <span className={`${styles.blank} ${waiting.glow}`}>
            <Waiting row={row} />
          </span>
        ) : null}
        {row.status === 'failed' ? (
          <span className={styles.blank}>
            <span className={styles.failed}>
              {trouble(row.code ?? '', row.detail ?? '')[0]}
            </span>
          </span>
        ) : null}
        <span className={styles.caption} aria-hidden={row.status === 'done' || undefined}>
          {words}
        </span>
      </button>
    </li>
  );
}

export function Pictures() {
  const queries = useQueryClient();
  const { get, change } = useQueryParams();
  const [removed, setRemoved] = useState('');
  // The address says it for a moment longer.
  const opened = get('picture') === removed ? '' : get('picture');
  const heading = useRef<HTMLHeadingElement>(null);
  const [adding, setAdding] = useState(false);

  // A visit begins with one page: those after it may have changed since.
  useEffect(() => () => {
    queries.setQueryData<Mine[]>(KEY, (old) => old?.slice(0, 1));
  }, [queries]);

  const mine = useQuery({
    queryKey: KEY,
    queryFn: async ({ signal }) => {
      const first = await list(
        signal, queries.getQueryData(KEY) ? [] : remembered());
      return renewed(first, queries.getQueryData<Mine[]>(KEY) ?? []);
    },
    staleTime: 0,
  });
  const next = mine.data?.at(-1)?.next;
  const rows = mine.data?.flatMap((page) => page.rows)
    .filter(({ status }) => status !== 'cancelled');
  const known = rows?.find(({ id }) => id === opened);
  const linked = useQuery({
    queryKey: ['generation', opened],
    queryFn: ({ signal }) => api.generation(opened, signal),
    enabled: opened !== '' && mine.isFetched && known === undefined,
  });
  const row = known ?? linked.data;
  useNews(known ? undefined : row);

  const close = () => { change({ picture: undefined }, 'replace'); };

  async function more(path: string) {
    if (adding) {
      return;
    }
    setAdding(true);
    try {
      const page = await further(path);
      // Unless the list was begun anew meanwhile.
      queries.setQueryData<Mine[]>(KEY, (old) => (
        old?.at(-1)?.next === path ? [...old, page] : old));
    } catch (error) {
      tell('error', 'No more can be shown just now', {
        description: inWords(error),
      });
    }
    setAdding(false);
  }

  async function remove(id: string) {
    try {
      await api.cancel(id);
    } catch (error) {
      if (!unlisted(error)) {
        throw error;
      }
    }
    forget(id);
    // A list that is being read may still have it.
    const reading = queries.isFetching({ queryKey: KEY }) > 0;
    await queries.cancelQueries({ queryKey: KEY });
    queries.setQueryData<Mine[]>(KEY, withRows((old) => (
      old.filter((one) => one.id !== id))));
    if (reading) {
      void queries.invalidateQueries({ queryKey: KEY });
    }
    queries.removeQueries({ queryKey: ['generation', id] });
    // Somebody who has not waited looks at something else by now.
    if (new URLSearchParams(window.location.search).get('picture') === id) {
      setRemoved(id);
      close();
    }
  }

  // Its tile would have had the focus.  Not before its dialog is closed.
  useEffect(() => {
    if (removed !== '') {
      heading.current?.focus();
    }
  }, [removed]);

  return (
    <>
      <h1 ref={heading} tabIndex={-1} className={styles.heading}>Your pictures</h1>
      {mine.isPending ? (
        <ul className={styles.wall} aria-hidden>
          {Array.from({ length: 4 }, (_, i) => (
            <li key={i} className={styles.tile}><span className={styles.coming} /></li>
          ))}
        </ul>
      ) : null}
      {mine.isError ? (
        <Note
          alert
          title="Your pictures cannot be listed just now"
          action={(
            <button type="button" className="button" onClick={() => { void mine.refetch(); }}>
              Try again
            </button>
          )}
        >
          {inWords(mine.error)}
        </Note>
      ) : null}
      {rows?.length === 0 && !next ? (
        <Note
          title="An empty wall"
          action={<Link className="button" href="/" prefetch={false}>Make a picture</Link>}
        >
          The rooms that you describe are kept here.
        </Note>
      ) : null}
      {rows && rows.length > 0 ? (
        <ul className={styles.wall}>
          {rows.map((one) => (
            <Tile
              key={one.id}
              row={one}
              onOpen={() => { change({ picture: one.id }, 'push'); }}
            />
          ))}
        </ul>
      ) : null}
      {next ? (
        <p className={styles.more}>
          <button
            type="button"
            className="button quiet"
            // Not disabled: it keeps the focus.
            aria-disabled={adding || undefined}
            onClick={() => { void more(next); }}
          >
            Show more
          </button>
        </p>
      ) : null}
      {opened && row ? (
        <PictureDialog
          key={row.id}
          row={row}
          onClose={close}
          onRemove={known ? remove : undefined}
        />
      ) : null}
      {opened && !row && linked.isError ? (
        <Dialog label="No such picture" onClose={close}>
          <div className={styles.text}>
            <Missing error={linked.error} again={() => { void linked.refetch(); }} />
          </div>
        </Dialog>
      ) : null}
    </>
  );
}

/* What a link leads to that is not there, or cannot be had now. */
function Missing({ error, again }: { error: Error; again: () => void }) {
  return unlisted(error) || (error instanceof Problem && error.status === 400) ? (
    <Note alert title="This picture cannot be found">
      It may have been removed, or the link is incomplete.
    </Note>
  ) : (
    <Note
      alert
      title="This picture cannot be shown just now"
      action={<button type="button" className="button" onClick={again}>Try again</button>}
    >
      {inWords(error)}
    </Note>
  );
}
