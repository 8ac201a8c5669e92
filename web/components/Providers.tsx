'use client';

import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode } from 'react';
import { Problem } from '../lib/api';
import { watchVitals } from '../lib/telemetry';
import { later } from './later';

// Nobody is toasted to before the page is there; which goes on without while
// the network is gone by then.
const Toasts = later(async () => (await import('./Toasts')).default, null,
                     () => null);

/* What passes by itself is tried again, once; what is refused is not. */
function passing(count: number, error: Error): boolean {
  return count < 1 && (!(error instanceof Problem) || error.status === 0
    || error.status >= 500);
}

export function Providers({ children }: { children: ReactNode }) {
  const [queries] = useState(() => new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5 * 60_000,
        gcTime: 10 * 60_000,
        retry: passing,
        refetchOnWindowFocus: false,
        // A browser that takes itself for offline may still reach us.
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  }));

  useEffect(() => watchVitals(), []);

  return (
    <QueryClientProvider client={queries}>
      {children}
      <Toasts />
    </QueryClientProvider>
  );
}
