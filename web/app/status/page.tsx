import type { Metadata } from 'next';
import { Suspense } from 'react';
import { Status } from '../../components/Status';

export const metadata: Metadata = { title: 'Status' };

export default function Page() {
  return (
    <Suspense fallback={<h1>Status</h1>}>
      <Status />
    </Suspense>
  );
}
