'use client';

import { useQuery } from '@tanstack/react-query';
import { Download, ExternalLink } from 'lucide-react';
import { api, type Design } from '../lib/api';
import { inWords } from '../lib/prompt';
import { imageUrl, nameOf, safeLink } from '../lib/sources';
import { CopyLink } from './CopyLink';
import { Dialog } from './Dialog';
import { Heart } from './Heart';
import { Note } from './Note';
import { Photo } from './Photo';
import styles from './DesignDialog.module.css';

export interface DesignDialogProps {
  id: string;
  known: Design | undefined;
  link: string;
  onClose: () => void;
}

/** The design that an address names: from the page, if it has it already. */
export function DesignDialog({ id, known, link, onClose }: DesignDialogProps) {
  const query = useQuery({
    queryKey: ['design', id],
    queryFn: ({ signal }) => api.design(id, signal),
    enabled: known === undefined,
  });
  const design = known ?? query.data;
  return (
    <Dialog label={design?.title || 'Design'} onClose={onClose}>
      {design ? <Whole design={design} link={link} /> : null}
      {!design && query.error ? (
        <div className={styles.text}>
          <Note
            alert
            title="That design cannot be shown"
            action={(
              <button
                type="button"
                className="button"
                onClick={() => { void query.refetch(); }}
              >
                Try again
              </button>
            )}
          >
            {inWords(query.error)}
          </Note>
        </div>
      ) : null}
      {!design && !query.error ? (
        <div className={styles.coming} role="status" aria-label="The design is being fetched" />
      ) : null}
    </Dialog>
  );
}

function Whole({ design, link }: { design: Design; link: string }) {
  const title = design.title || 'Untitled';
  const author = safeLink(design.authorUrl);
  const page = safeLink(design.pageUrl);
  const full = safeLink(imageUrl(design, 1920));

  return (
    <>
      <div
        className={styles.picture}
        style={design.width && design.height
          ? { aspectRatio: `${design.width} / ${design.height}` } : undefined}
      >
        <Photo
          design={design}
          sizes="(max-width: 760px) 100vw, 1120px"
          eager
          contain
        />
      </div>
      <div className={styles.text}>
        <div className={styles.head}>
          <h2>{title}</h2>
          <Heart id={design.id} likes={design.likes} title={title} />
        </div>
        <p className={styles.by}>
          {author ? (
            <a href={author} target="_blank" rel="noreferrer">
              {design.author || 'Unknown'}
            </a>
          ) : design.author || 'Unknown'}
          {design.license ? ` · ${design.license}` : ''}
          {design.width && design.height
            ? ` · ${design.width} × ${design.height}` : ''}
        </p>
        {design.attribution
          ? <p className={styles.credit}>{design.attribution}</p> : null}
        <div className={styles.actions}>
          {page ? (
            <a className="button" href={page} target="_blank" rel="noreferrer">
              See it on {nameOf(design.source)}
              <ExternalLink size={16} aria-hidden />
            </a>
          ) : null}
          {full ? (
            <a
              className="button quiet"
              href={full}
              target="_blank"
              rel="noreferrer"
              onClick={() => { api.downloaded(design.id); }}
            >
              <Download size={16} aria-hidden /> Download
            </a>
          ) : null}
          <CopyLink path={link} />
        </div>
      </div>
    </>
  );
}
