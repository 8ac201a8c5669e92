/* What the server will make of a request, to be shown before it answers. */

import { Problem, type GenerationRequest } from './api';

export function enhanced({ prompt, style, roomType }: GenerationRequest): string {
  return `${prompt.trim()}, high quality, professional photography, `
    + `8k resolution${style ? `, ${style} style` : ''}`
    + `${roomType ? `, ${roomType} interior` : ''}`;
}

/** Of what was sent, what is to be seen, and what is not where a service has no
 * place of its own for that. */
export function sent(text: string | undefined):
{ words: string; without?: string | undefined } | null {
  if (!text) {
    return null;
  }
  const [words = '', without] = text.split(' | negative: ');
  return { words, without };
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

const services: Record<string, string> = {
  stability: 'Stability AI', huggingface: 'Hugging Face',
};

/** A provider's name as people write it. */
export function serviceOf(provider: string): string {
  return services[provider] ?? provider;
}

/*
 * Problems whose detail speaks to programs.
 */
const troubles: Record<string, [title: string, words: string]> = {
  moderated: ['These words were refused',
              'The services do not allow them. Please use other words.'],
  providers_rejected: ['No service takes our requests',
                       'They turn this server away. Its operator has to see '
                       + 'to that.'],
  providers_unavailable: ['Not just now', 'No service could make the picture.'],
  too_many_in_flight: ['Not just now',
                       'Too many pictures are being made at the moment.'],
  queue_unavailable: ['Not just now', 'The server cannot keep your request.'],
  storage_failed: ['It got lost',
                   'The picture was made, but the server could not keep it.'],
  in_progress: ['Not done yet', 'Your request is still being served.'],
  unreachable: ['No connection',
                'The server cannot be reached. Are you online?'],
};

/* Those that the same words would meet again. */
const worded = new Set(['moderated', 'missing_field', 'wrong_type', 'empty_field',
  'too_long', 'out_of_range', 'invalid_text', 'body_too_large']);

/** Whether other words may help, and trying again does not. */
export function wording(code: string): boolean {
  return worded.has(code);
}

/** What went wrong, as a title and words. */
export function trouble(code: string, detail: string, retryAfter?: number):
[title: string, words: string] {
  const [title, words] = troubles[code] ?? ['That did not work', detail];
  return [title, retryAfter
    ? `${words} Try again in ${retryAfter < 100 ? `${retryAfter} s`
      : `${Math.ceil(retryAfter / 60)} minutes`}.` : words];
}

/** Why something else could not be done: what speaks to programs is not said. */
export function inWords(error: unknown): string {
  return error instanceof Problem && error.status < 500 ? error.message
    : 'The server cannot do that at the moment. Try again in a few seconds.';
}

/** The outcome of an attempt in words. */
export function outcome(code: string): string {
  return outcomes[code] ?? code.replace(/_/g, ' ');
}
