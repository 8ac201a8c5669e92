'use client';

import { Component, type ReactNode } from 'react';
import { NotHere } from './later';
import { Note } from './Note';

interface Props {
  /** Another one is tried anew. */
  page: string;
  children: ReactNode;
}

interface State {
  page: string;
  error?: unknown;
}

/* Where to go instead, which is Next's own matter. */
function nexts(error: unknown): boolean {
  return error instanceof Error && 'digest' in error;
}

/*
 * Next keeps the failure of a page's own script, or of its styles: it has to
 * begin anew.
 */
function scriptless(error: unknown): boolean {
  return error instanceof Error && (error.name === 'ChunkLoadError'
    || ('code' in error && error.code === 'CSS_CHUNK_LOAD_FAILED'));
}

/**
 * What is around a page that cannot be shown stays.  An app/error.tsx would do
 * the same by a script of its own, and pages whose first script comes after
 * that of the page could not be hydrated.
 */
export class Fence extends Component<Props, State> {
  override state: State = { page: this.props.page };

  static getDerivedStateFromError(error: unknown): Partial<State> {
    if (nexts(error)) {
      throw error;
    }
    return { error };
  }

  static getDerivedStateFromProps({ page }: Props, state: State): State | null {
    return page === state.page ? null : { page, error: undefined };
  }

  override render(): ReactNode {
    const { error } = this.state;

    if (error === undefined) {
      return this.props.children;
    }
    if (scriptless(error)) {
      return <NotHere />;
    }
    return (
      <Note
        alert
        title="This page cannot be shown"
        action={(
          <button
            type="button"
            className="button"
            onClick={() => { this.setState({ error: undefined }); }}
          >
            Try again
          </button>
        )}
      >
        Something went wrong in it.
      </Note>
    );
  }
}
