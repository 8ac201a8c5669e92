import type { ReactNode } from 'react';
import styles from './NextPage.module.css';

interface NextPageProps {
  fetching: boolean;
  failed: boolean;
  again: () => unknown;
  /** Of the end, when there is nothing to say of a page. */
  children?: ReactNode;
}

/** Below what is there: more is on its way, or did not come. */
export function NextPage({ fetching, failed, again, children }: NextPageProps) {
  return (
    <p className={styles.end} role="status">
      {fetching ? 'More is on its way. '
        : failed ? 'The next page did not come. ' : null}
      {failed ? (
        <button
          type="button"
          className="button quiet slim"
          onClick={() => {
            if (!fetching) {
              again();
            }
          }}
        >
          Try again
        </button>
      ) : null}
      {children}
    </p>
  );
}
