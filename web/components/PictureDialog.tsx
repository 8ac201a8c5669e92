'use client';

import { Download, RotateCcw, Trash2, X } from 'lucide-react';
import Link from 'next/link';
import { useState } from 'react';
import type { Generation } from '../lib/api';
import { wordsOf } from '../lib/history';
import { inWords, sent, trouble } from '../lib/prompt';
import { Attempts } from './Attempts';
import { CopyLink } from './CopyLink';
import { Dialog } from './Dialog';
import { Note } from './Note';
import { Waiting, waits } from './Waiting';
import styles from './Pictures.module.css';
import waiting from './Waiting.module.css';

/** One picture, as far as it has come. */
export function PictureDialog({ row, onClose, onRemove }: {
  row: Generation;
  onClose: () => void;
  /** Takes it away, or throws; missing if it is somebody else's. */
  onRemove: ((id: string) => Promise<void>) | undefined;
}) {
  const [sure, setSure] = useState(false);
  const [going, setGoing] = useState(false);
  const [failed, setFailed] = useState('');
  const words = row.prompt ?? wordsOf(row.id);
  const made = row.status === 'done' ? sent(row.enhancedPrompt) : null;
  const pending = waits(row);

  async function remove() {
    if (going) {
      return;
    }
    if (!sure && row.status === 'done') {
      setSure(true);
      return;
    }
    setFailed('');
    setGoing(true);
    try {
      await onRemove?.(row.id);
    } catch (error) {
      setFailed(`It could not be ${pending ? 'cancelled' : 'removed'}. ${inWords(error)}`);
    }
    setGoing(false);
  }

  let act = sure ? 'Really remove it' : 'Remove';
  if (pending) {
    act = going ? 'Cancelling' : 'Cancel';
  } else if (going) {
    act = 'Removing';
  }

  return (
    <Dialog label={words || 'A picture'} onClose={onClose}>
      {row.status === 'done' && row.url ? (
        // eslint-disable-next-line @next/next/no-img-element
        <img
          className={styles.large}
          src={row.url}
          width={row.width}
          height={row.height}
          alt={words || 'A picture'}
        />
      ) : null}
      {pending ? (
        <div className={`${styles.stage} ${waiting.glow}`}><Waiting row={row} /></div>
      ) : null}
      {row.status === 'failed' ? <Failed row={row} /> : null}
      {row.status === 'cancelled' ? (
        <Note title="This picture was cancelled" />
      ) : null}
      <div className={styles.text}>
        {words ? <p className={styles.prompt}>{words}</p> : null}
        {made ? <p className={styles.soft}>{made.words}</p> : null}
        {made?.without ? <p className={styles.soft}>Left out: {made.without}</p> : null}
        {row.status === 'done' ? <Attempts trials={row.attempts} /> : null}
        <div className={styles.actions}>
          {row.status === 'done' && row.url ? (
            <>
              <a className="button" href={row.url} download>
                <Download size={16} aria-hidden /> Download
              </a>
              <CopyLink path={`/pictures?picture=${row.id}`} />
            </>
          ) : null}
          {row.status === 'failed' && words ? (
            <Link
              className="button"
              href={`/?prompt=${encodeURIComponent(words)}`}
              prefetch={false}
            >
              <RotateCcw size={16} aria-hidden /> Use the words again
            </Link>
          ) : null}
          {onRemove && row.status !== 'cancelled' ? (
            <button
              type="button"
              className="button quiet"
              // Not disabled, which would take the focus from it.
              aria-disabled={going || undefined}
              onClick={() => { void remove(); }}
              onBlur={() => { setSure(false); }}
            >
              {pending ? <X size={16} aria-hidden /> : <Trash2 size={16} aria-hidden />}
              {act}
            </button>
          ) : null}
        </div>
        {failed ? <p role="alert" className={styles.soft}>{failed}</p> : null}
      </div>
    </Dialog>
  );
}

function Failed({ row }: { row: Generation }) {
  const [title, why] = trouble(row.code ?? '',
                               row.detail ?? 'It could not be made.');
  return (
    <div className={styles.stage}>
      <div className={waiting.wait}>
        <span>{title}</span>
        <small>{why}</small>
        <Attempts trials={row.attempts} />
      </div>
    </div>
  );
}
