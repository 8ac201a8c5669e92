'use client';

import { Heart as Icon } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { likedHere, useLike } from '../hooks/useLike';
import styles from './Heart.module.css';

interface HeartProps {
  id: string;
  likes: number;
  title: string;
  /** No: it may only fly past, and asks the server for nothing. */
  settled?: boolean;
}

export function Heart({ settled = true, ...props }: HeartProps) {
  const [pressed, setPressed] = useState(false);
  return settled || pressed
    ? <LiveHeart {...props} press={pressed} />
    : (
      <Face
        title={props.title}
        liked={likedHere(props.id)}
        likes={props.likes}
        onClick={() => { setPressed(true); }}
      />
    );
}

function LiveHeart({ id, likes: known, title, press }: HeartProps & {
  press: boolean;
}) {
  const { liked, likes, toggle } = useLike(id, known);
  const due = useRef(press);
  useEffect(() => {
    if (due.current) {
      due.current = false;
      toggle();
    }
  });
  return <Face title={title} liked={liked} likes={likes} onClick={toggle} />;
}

function Face({ title, liked, likes, onClick }: {
  title: string;
  liked: boolean;
  likes: number;
  onClick: () => void;
}) {
  return (
    <button
      type="button"
      className={styles.heart}
      aria-pressed={liked}
      aria-label={`Like ${title}`}
      onClick={onClick}
    >
      <Icon size={18} strokeWidth={1.7} aria-hidden />
      <span aria-live="off" data-testid="likes">{likes > 0 ? likes : ''}</span>
    </button>
  );
}
