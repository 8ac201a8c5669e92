import Link from 'next/link';
import { Note } from '../components/Note';

export default function NotFound() {
  return (
    <Note
      title="There is no such page"
      action={<Link className="button" href="/" prefetch={false}>Go to the start page</Link>}
    >
      The link may be old or incomplete.
    </Note>
  );
}
