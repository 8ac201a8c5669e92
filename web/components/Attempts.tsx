import type { Generation } from '../lib/api';
import { outcome } from '../lib/prompt';
import { nameOf } from '../lib/sources';
import styles from './Attempts.module.css';

/** Who was asked for a picture, and what became of it. */
export function Attempts({ row }: { row: Generation }) {
  if (!row.attempts?.length) {
    return null;
  }
  return (
    <ul className={styles.attempts} aria-label="Who was asked">
      {row.attempts.map((attempt, i) => (
        <li key={`${attempt.provider}${i}`} data-outcome={attempt.outcome}>
          <b>{nameOf(attempt.provider)}</b> {outcome(attempt.outcome)}
          <span>{attempt.ms} ms</span>
        </li>
      ))}
    </ul>
  );
}
