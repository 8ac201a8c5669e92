'use client';

import dynamic from 'next/dynamic';

// On its way while the first designs are, which a page asks for as soon as it
// can: its script is not in the way of that.
const wall = typeof window === 'undefined' ? undefined : import('./Wall');

/** The Wall, for pages that have nothing to show in it at first. */
export const LaterWall = dynamic(
  async () => (await (wall ?? import('./Wall'))).Wall,
  { ssr: false, loading: () => <div style={{ minHeight: '100vh' }} /> });
