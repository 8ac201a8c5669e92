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

/**
 * A design, or the place of one that is on its way again, or that the server
 * does not have: the same element, which may have the keyboard's focus.
 */
export const DesignCard = memo(function DesignCard({
  design, position, size, ...inside
}: Omit<InsideProps, 'design' | 'title'> & {
  design: Design | null | undefined;
  position: number;
  /** How many there are in all; -1: nobody knows yet. */
  size: number;
}) {
  const title = design ? design.title || 'Untitled'
    : design === null ? 'A design that cannot be shown now' : 'A design on its way';
  return (
    <article
      className={styles.card}
      tabIndex={-1}
      aria-posinset={position}
      aria-setsize={size}
      aria-label={title}
      aria-busy={design === undefined || undefined}
      data-id={design?.id}
      onKeyDown={(event) => {
        if (design && event.key === 'Enter'
            && event.target === event.currentTarget) {
          event.preventDefault();
          inside.onOpen(design.id);
        }
      }}
    >
      {design ? <Inside {...inside} design={design} title={title} /> : (
        <>
          <span className={styles.empty}>
            {design === null ? 'Cannot be shown now' : null}
          </span>
          <span className={styles.foot} />
        </>
      )}
    </article>
  );
});

interface InsideProps {
  design: Design;
  title: string;
  hrefOf: (id: string) => string;
  width: number;
  eager: boolean;
  onOpen: (id: string) => void;
}

function Inside({ design, title, hrefOf, width, eager, onOpen }: InsideProps) {
  return (
    <>
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
    </>
  );
}
