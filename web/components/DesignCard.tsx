'use client';

import { memo } from 'react';
import type { Design } from '../lib/api';
import { nameOf, safeLink } from '../lib/sources';
import { Heart } from './Heart';
import { Photo } from './Photo';
import styles from './DesignCard.module.css';

/** Who made it and where it is from: what every source wants to be said. */
export function Attribution({ design }: { design: Design }) {
  const author = design.author || 'Unknown';
  const authorUrl = safeLink(design.authorUrl);
  const pageUrl = safeLink(design.pageUrl);
  const source = nameOf(design.source);
  return (
    <p className={styles.credit} title={design.attribution ?? undefined}>
      {authorUrl
        ? <a href={authorUrl} target="_blank" rel="noreferrer">{author}</a>
        : author}
      {' · '}
      {pageUrl
        ? <a href={pageUrl} target="_blank" rel="noreferrer">{source}</a>
        : source}
      {design.license && !design.license.startsWith(source.split(' ')[0] ?? '')
        ? <span> · {design.license}</span> : null}
    </p>
  );
}

export const DesignCard = memo(function DesignCard({
  design, hrefOf, width, eager, onOpen, position, size,
}: {
  design: Design;
  hrefOf: (id: string) => string;
  width: number;
  eager: boolean;
  onOpen: (id: string) => void;
  position: number;
  /** How many there are in all; -1: nobody knows yet. */
  size: number;
}) {
  const title = design.title || 'Untitled';
  return (
    <article
      className={styles.card}
      tabIndex={-1}
      aria-posinset={position}
      aria-setsize={size}
      aria-label={title}
      data-id={design.id}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && event.target === event.currentTarget) {
          event.preventDefault();
          onOpen(design.id);
        }
      }}
    >
      <a
        className={styles.open}
        href={hrefOf(design.id)}
        onClick={(event) => {
          if (!event.metaKey && !event.ctrlKey && !event.shiftKey) {
            event.preventDefault();
            onOpen(design.id);
          }
        }}
      >
        <Photo design={design} width={width} eager={eager} passing={!eager} />
      </a>
      <footer className={styles.foot}>
        <div className={styles.text}>
          <p className={styles.title}>{title}</p>
          <Attribution design={design} />
        </div>
        <Heart
          id={design.id}
          likes={design.likes}
          title={title}
          passing={!eager}
        />
      </footer>
    </article>
  );
});

/** A card whose design is on its way again. */
export function EmptyCard({ position, size }: {
  position: number;
  size: number;
}) {
  return (
    <article
      className={styles.card}
      tabIndex={-1}
      aria-posinset={position}
      aria-setsize={size}
      aria-label="A design on its way"
      aria-busy
    >
      <span className={styles.empty} />
      <span className={styles.foot} />
    </article>
  );
}
