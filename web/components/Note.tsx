import type { ReactNode } from 'react';
import styles from './Note.module.css';

/** A place with nothing in it, or something that went wrong, in words. */
export function Note({ title, children, action, alert = false }: {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  alert?: boolean;
}) {
  return (
    <div className={styles.note} role={alert ? 'alert' : undefined}>
      <h2>{title}</h2>
      {children ? <p>{children}</p> : null}
      {action}
    </div>
  );
}
