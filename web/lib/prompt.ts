/* What the server will make of a request, to be shown before it answers. */

import type { GenerationRequest } from './api';

export function enhanced({ prompt, style, roomType }: GenerationRequest): string {
  return `${prompt.trim()}, high quality, professional photography, `
    + `8k resolution${style ? `, ${style} style` : ''}`
    + `${roomType ? `, ${roomType} interior` : ''}`;
}

export interface Shape {
  name: string;
  width: number;
  height: number;
}

export const shapes: [Shape, ...Shape[]] = [
  { name: 'Landscape', width: 1344, height: 896 },
  { name: 'Square', width: 1024, height: 1024 },
  { name: 'Portrait', width: 896, height: 1344 },
];

export const ideas = [
  'A quiet living room with a green linen sofa and morning light',
  'A small reading corner with a walnut armchair under a window',
  'An open kitchen with oak fronts and a long stone counter',
];

const outcomes: Record<string, string> = {
  won: 'made the picture',
  lost: 'came second',
  cancelled: 'stopped, another was faster',
  unasked: 'not needed',
  limited: 'at its limit',
  open: 'resting after faults',
  rate_limited: 'asked for a pause',
  moderated: 'refused the words',
  invalid: 'did not take the request',
  credential: 'refused our key',
  transient: 'failed',
  deadline: 'took too long',
};

/** The outcome of an attempt in words. */
export function outcome(code: string): string {
  return outcomes[code] ?? code.replace(/_/g, ' ');
}
