import type { Metadata } from 'next';
import { Suspense } from 'react';
import { Pictures } from '../../components/Pictures';

export const metadata: Metadata = { title: 'Your pictures' };

export default function Page() {
  return (
    <Suspense fallback={<h1>Your pictures</h1>}>
      <Pictures />
    </Suspense>
  );
}
