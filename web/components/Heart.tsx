'use client';

import { Heart as Icon } from 'lucide-react';
import { useLike } from '../hooks/useLike';
import styles from './Heart.module.css';

export function Heart({ id, likes: known, title }: {
  id: string;
  likes: number;
  title: string;
}) {
  const { liked, likes, toggle } = useLike(id, known);
  return (
    <button
      type="button"
      className={styles.heart}
      aria-pressed={liked}
      aria-label={`Like ${title}`}
      onClick={toggle}
    >
      <Icon size={18} strokeWidth={1.7} aria-hidden />
      <span aria-live="off" data-testid="likes">{likes > 0 ? likes : ''}</span>
    </button>
  );
}
