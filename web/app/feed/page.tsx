import type { Metadata } from 'next';
import { Suspense } from 'react';
import { Feed } from '../../components/Feed';

export const metadata: Metadata = { title: 'Discover' };

export default function Page() {
  return (
    <Suspense fallback={<h1>Discover</h1>}>
      <Feed />
    </Suspense>
  );
}
