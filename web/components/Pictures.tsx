'use client';

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Download, Link2, Trash2 } from 'lucide-react';
import Link from 'next/link';
import { useEffect, useState } from 'react';
import { useWebSocket } from '../hooks/useWebSocket';
import { api, Problem, type Generation } from '../lib/api';
import { forget, remembered } from '../lib/history';
import { copyLink } from '../lib/share';
import { tell } from '../lib/toast';
import { useQueryParams } from '../lib/url';
import { Attempts } from './Attempts';
import { Dialog } from './Dialog';
import { Note } from './Note';
import styles from './Pictures.module.css';

const KEY = ['generations'];

/* Servers without a list of their own, and visitors unknown to them. */
function unlisted(error: unknown): boolean {
  return error instanceof Problem && [403, 404, 405].includes(error.status);
}

async function list(signal: AbortSignal): Promise<Generation[]> {
  try {
    const { results } = await api.generations(signal);
    return results.length > 0 ? results : remembered();
  } catch (error) {
    if (unlisted(error) || remembered().length > 0) {
      return remembered();
    }
    throw error;
  }
}

function when(row: Generation): string {
  if (row.status === 'done') {
    return row.prompt ?? '';
  }
  if (row.status === 'failed') {
    return row.detail ?? 'It could not be made.';
  }
  return row.position === undefined
    ? 'It is being made' : `Position ${row.position} in the queue`;
}

function Tile({ row, onOpen }: { row: Generation; onOpen: () => void }) {
  const queries = useQueryClient();
  const waits = row.status === 'queued' || row.status === 'running';

  useWebSocket<Generation>(waits ? `generate:${row.id}` : null, (news) => {
    queries.setQueryData<Generation[]>(KEY, (old) => old?.map((one) => (
      one.id === row.id ? { ...one, ...news, id: row.id } : one)));
    if (news.status === 'done' && news.width === undefined) {
      void queries.invalidateQueries({ queryKey: KEY });
    }
  }, { onGap: () => { void queries.invalidateQueries({ queryKey: KEY }); } });

  return (
    <li className={styles.tile}>
      <button type="button" onClick={onOpen} disabled={row.status !== 'done'}>
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
        ) : <span className={styles.blank} data-status={row.status} />}
        <span className={styles.caption}>{when(row)}</span>
      </button>
    </li>
  );
}

export function Pictures() {
  const { get, change } = useQueryParams();
  const opened = get('picture');
  const mine = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => list(signal),
    staleTime: 0,
  });
  const known = mine.data?.find(({ id }) => id === opened);
  const linked = useQuery({
    queryKey: ['generation', opened],
    queryFn: ({ signal }) => api.generation(opened, signal),
    enabled: opened !== '' && mine.isFetched && known?.width === undefined,
  });
  const row = known?.width === undefined ? linked.data ?? known : known;
  const close = () => { change({ picture: undefined }, 'replace'); };

  return (
    <>
      <h1>Your pictures</h1>
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
          {mine.error.message}
        </Note>
      ) : null}
      {mine.data?.length === 0 ? (
        <Note
          title="An empty wall"
          action={<Link className="button" href="/" prefetch={false}>Make a picture</Link>}
        >
          The rooms you describe are kept here.
        </Note>
      ) : null}
      {mine.data && mine.data.length > 0 ? (
        <ul className={styles.wall}>
          {mine.data.filter(({ status }) => status !== 'cancelled').map((one) => (
            <Tile
              key={one.id}
              row={one}
              onOpen={() => { change({ picture: one.id }, 'push'); }}
            />
          ))}
        </ul>
      ) : null}
      {opened && row?.url ? <Opened row={row} onClose={close} /> : null}
      {opened && !row && linked.isError ? (
        <Dialog label="No such picture" onClose={close}>
          <Note title="This picture cannot be found">
            It may have been removed, or the link is not whole.
          </Note>
        </Dialog>
      ) : null}
    </>
  );
}

function Opened({ row, onClose }: { row: Generation; onClose: () => void }) {
  const queries = useQueryClient();
  const [sure, setSure] = useState(false);
  useEffect(() => { setSure(false); }, [row.id]);

  async function remove() {
    if (!sure) {
      setSure(true);
      return;
    }
    try {
      await api.cancel(row.id);
    } catch (error) {
      if (!unlisted(error)) {
        tell('error', 'It could not be removed', {
          description: error instanceof Error ? error.message : undefined,
        });
        return;
      }
    }
    forget(row.id);
    queries.setQueryData<Generation[]>(KEY,
      (old) => old?.filter(({ id }) => id !== row.id));
    onClose();
  }

  return (
    <Dialog label={row.prompt ?? 'Picture'} onClose={onClose}>
      {/* eslint-disable-next-line @next/next/no-img-element */}
      <img
        className={styles.large}
        src={row.url}
        width={row.width}
        height={row.height}
        alt={row.prompt ?? 'A picture'}
      />
      <div className={styles.text}>
        <p className={styles.prompt}>{row.prompt}</p>
        {row.enhancedPrompt ? <p className={styles.soft}>{row.enhancedPrompt}</p> : null}
        <Attempts trials={row.attempts} />
        <div className={styles.actions}>
          <a className="button" href={row.url} download>
            <Download size={16} aria-hidden /> Download
          </a>
          <button
            type="button"
            className="button quiet"
            onClick={() => { void copyLink(`/pictures?picture=${row.id}`); }}
          >
            <Link2 size={16} aria-hidden /> Copy link
          </button>
          <button type="button" className="button quiet" onClick={() => { void remove(); }}>
            <Trash2 size={16} aria-hidden /> {sure ? 'Really remove it' : 'Remove'}
          </button>
        </div>
      </div>
    </Dialog>
  );
}

