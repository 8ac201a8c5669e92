'use client';

import { Download, ExternalLink, Link2 } from 'lucide-react';
import { api, type Design } from '../lib/api';
import { copyLink } from '../lib/share';
import { imageUrl, nameOf, safeLink } from '../lib/sources';
import { Dialog } from './Dialog';
import { Heart } from './Heart';
import { Photo } from './Photo';
import styles from './DesignDialog.module.css';

export function DesignDialog({ design, link, onClose }: {
  design: Design;
  link: string;
  onClose: () => void;
}) {
  const title = design.title || 'Untitled';
  const author = safeLink(design.authorUrl);
  const page = safeLink(design.pageUrl);
  const full = safeLink(imageUrl(design, 1920));

  return (
    <Dialog label={title} onClose={onClose}>
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
          <button
            type="button"
            className="button quiet"
            onClick={() => { void copyLink(link); }}
          >
            <Link2 size={16} aria-hidden /> Copy link
          </button>
        </div>
      </div>
    </Dialog>
  );
}
