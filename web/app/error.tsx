'use client';

import { NotHere } from '../components/later';
import { Note } from '../components/Note';

/** In the place of a page that cannot be shown; what is around it stays. */
export default function Failed({ error, reset }: {
  error: Error & { code?: string };
  reset: () => void;
}) {
  // Next keeps the failure of a page's own script: it has to begin anew.
  if (error.name === 'ChunkLoadError' || error.code === 'CSS_CHUNK_LOAD_FAILED') {
    return <NotHere />;
  }
  return (
    <Note
      alert
      title="This page cannot be shown"
      action={<button type="button" className="button" onClick={reset}>Try again</button>}
    >
      Something went wrong in it.
    </Note>
  );
}
