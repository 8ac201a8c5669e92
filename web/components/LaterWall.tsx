'use client';

import { later, NotHere } from './later';
import type { WallProps } from './Wall';

/** The Wall, for pages that have nothing to show in it at first. */
export const LaterWall = later<WallProps>(
  async () => (await import('./Wall')).Wall,
  <div style={{ minHeight: '100vh' }} />,
  NotHere);

// On its way while the first designs are, which a page asks for as soon as it
// can: its script is not in the way of that.
if (typeof window !== 'undefined') {
  LaterWall.begin();
}
