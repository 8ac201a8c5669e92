'use client';

import {
  useEffect, useSyncExternalStore, type ComponentType, type ReactNode,
} from 'react';
import { Note } from './Note';

interface Failure {
  again: () => void;
  /** It is being tried again. */
  trying: boolean;
}

interface State<Props> extends Omit<Failure, 'again'> {
  Loaded?: ComponentType<Props>;
  failed: boolean;
}

/**
 * A component whose script comes when it is needed, or begin() is called.  One
 * that does not come takes nothing else with it: Failed is in its place, until
 * it is tried again or the browser is online again.
 */
export function later<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  waiting: ReactNode,
  Failed: ComponentType<Props & Failure>,
) {
  const start: State<Props> = { failed: false, trying: false };
  const shown = new Set<() => void>();
  let state = start;
  let coming = false;

  const put = (next: State<Props>) => {
    state = next;
    shown.forEach((changed) => { changed(); });
  };
  const begin = () => {
    if (coming || state.Loaded) {
      return;
    }
    coming = true;
    if (state.failed) {
      put({ failed: true, trying: true });
    }
    load().then((Loaded) => {
      coming = false;
      put({ Loaded, failed: false, trying: false });
    }, () => {
      coming = false;
      // Where nobody has waited for it, the next one who does asks anew.
      put(shown.size > 0 ? { failed: true, trying: false } : start);
    });
  };
  const watch = (changed: () => void) => {
    shown.add(changed);
    return () => {
      shown.delete(changed);
      if (shown.size === 0 && state.failed) {
        state = start;
      }
    };
  };

  function Later(props: Props) {
    const { Loaded, failed, trying } = useSyncExternalStore(
      watch, () => state, () => start);

    useEffect(begin, []);
    useEffect(() => {
      if (failed) {
        window.addEventListener('online', begin);
      }
      return () => { window.removeEventListener('online', begin); };
    }, [failed]);

    if (Loaded) {
      return <Loaded {...props} />;
    }
    return failed ? <Failed {...props} again={begin} trying={trying} /> : waiting;
  }
  return Object.assign(Later, { begin });
}

/** What is shown in the place of what did not come. */
export function NotHere({ again, trying = false }: Partial<Failure>) {
  return (
    <Note
      alert
      title="This part of the page did not come"
      action={(
        <>
          {again ? (
            <button type="button" className="button" onClick={again}>
              {trying ? 'Trying again' : 'Try again'}
            </button>
          ) : null}
          <button
            type="button"
            className="button quiet"
            onClick={() => { window.location.reload(); }}
          >
            Reload the page
          </button>
        </>
      )}
    >
      The network may be away, or these pages were renewed since you opened them.
    </Note>
  );
}
