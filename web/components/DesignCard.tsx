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
  design, href, sizes, eager, onOpen, position,
}: {
  design: Design;
  href: string;
  sizes: string;
  eager: boolean;
  onOpen: (id: string) => void;
  position: number;
}) {
  const title = design.title || 'Untitled';
  return (
    <article
      className={styles.card}
      aria-posinset={position}
      aria-setsize={-1}
      aria-label={title}
      data-id={design.id}
    >
      <a
        className={styles.open}
        href={href}
        onClick={(event) => {
          if (!event.metaKey && !event.ctrlKey && !event.shiftKey) {
            event.preventDefault();
            onOpen(design.id);
          }
        }}
      >
        <Photo design={design} sizes={sizes} eager={eager} />
      </a>
      <footer className={styles.foot}>
        <div className={styles.text}>
          <p className={styles.title}>{title}</p>
          <Attribution design={design} />
        </div>
        <Heart id={design.id} likes={design.likes} title={title} />
      </footer>
    </article>
  );
});
