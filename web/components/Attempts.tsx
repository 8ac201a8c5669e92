import type { Trial } from '../lib/lines';
import { outcome, serviceOf } from '../lib/prompt';
import styles from './Attempts.module.css';

/**
 * Who was asked for a picture, and what became of it; those who still work at
 * it as well.  live: who is listening hears of each as it ends.
 */
export function Attempts({ trials, live = false }: {
  trials: readonly Trial[] | undefined;
  live?: boolean;
}) {
  if (!trials?.length) {
    return null;
  }
  return (
    <ul
      className={styles.attempts}
      data-live={live || undefined}
      aria-label="Who was asked"
      aria-live={live ? 'polite' : undefined}
    >
      {trials.map((trial, i) => (
        <li key={`${trial.provider}${i}`} data-outcome={trial.outcome ?? 'running'}>
          <b>{serviceOf(trial.provider)}</b>{' '}
          <span className={styles.words}>
            {trial.outcome === undefined ? 'is working on it' : outcome(trial.outcome)}
          </span>
          {trial.ms ? <span className={styles.ms}>{trial.ms} ms</span> : null}
        </li>
      ))}
    </ul>
  );
}
