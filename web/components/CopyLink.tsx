import { Link2 } from 'lucide-react';
import { copyLink } from '../lib/share';

/** Copies the address of what is looked at, one of our pages. */
export function CopyLink({ path, slim = false }: {
  path: string;
  slim?: boolean;
}) {
  return (
    <button
      type="button"
      className={`button quiet${slim ? ' slim' : ''}`}
      onClick={() => { void copyLink(path); }}
    >
      <Link2 size={16} aria-hidden /> Copy link
    </button>
  );
}
