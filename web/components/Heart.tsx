'use client';

import { Heart as Icon } from 'lucide-react';
import { useEffect, useLayoutEffect, useRef, useState, type RefObject } from 'react';
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
  const held = useRef(false);
  return settled || pressed
    ? <LiveHeart {...props} press={pressed} held={held} />
    : (
      <Face
        held={held}
        title={props.title}
        liked={likedHere(props.id)}
        likes={props.likes}
        onClick={() => { setPressed(true); }}
      />
    );
}

function LiveHeart({ id, likes: known, title, press, held }: HeartProps & {
  press: boolean;
  held: RefObject<boolean>;
}) {
  const { liked, likes, toggle } = useLike(id, known);
  const due = useRef(press);
  useEffect(() => {
    if (due.current) {
      due.current = false;
      toggle();
    }
  });
  return (
    <Face title={title} liked={liked} likes={likes} onClick={toggle} held={held} />
  );
}

function Face({ title, liked, likes, onClick, held }: {
  title: string;
  liked: boolean;
  likes: number;
  onClick: () => void;
  held: RefObject<boolean>;
}) {
  const button = useRef<HTMLButtonElement>(null);
  // The live one takes the place of the other, and its focus.
  useLayoutEffect(() => {
    const { current } = button;
    if (held.current) {
      current?.focus({ preventScroll: true });
    }
    return () => { held.current = document.activeElement === current; };
  }, [held]);

  return (
    <button
      ref={button}
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
