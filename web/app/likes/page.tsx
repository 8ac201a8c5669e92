import type { Metadata } from 'next';
import { Suspense } from 'react';
import { Likes } from '../../components/Likes';

export const metadata: Metadata = { title: 'Likes' };

export default function Page() {
  return (
    <Suspense fallback={<h1>Likes</h1>}>
      <Likes />
    </Suspense>
  );
}
