/*
 * A picture in the making, as POST /generate tells of it line by line (README):
 * attempts while they run, and the answer as the last line.
 */

import type { components } from './api-types';

type Schemas = components['schemas'];
type Line = Schemas['GenerationLine'];
type Answer = Extract<Line, { type: 'answer' }>;
export type Progress = Exclude<Line, Answer>;

/** An attempt whose outcome may still be to come. */
export interface Trial {
  provider: string;
  outcome?: string;
  ms?: number;
  note?: string;
}

export function hasLines(response: Response): boolean {
  return /^application\/x-ndjson\b/i
    .test(response.headers.get('Content-Type') ?? '');
}

/**
 * Tells each line but the last as it comes, and returns that: undefined if the
 * connection broke off before.
 */
export async function answerOf(response: Response, tell: (line: Progress) => void):
Promise<Answer | undefined> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';

  try {
    while (reader) {
      const { done, value } = await reader.read();
      if (done) {
        break;
      }
      text += decoder.decode(value, { stream: true });
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        const said = JSON.parse(line) as Line;
        if (said.type === 'answer') {
          return said;
        }
        tell(said);
      }
    }
  } finally {
    // Of a line that is none: nobody waits for the picture any more.
    void reader?.cancel().catch(() => {});
  }
  return undefined;
}

/** What is known of all attempts when this line has come, too. */
export function withLine(trials: readonly Trial[], line: Progress): Trial[] {
  if (line.type === 'started') {
    return [...trials, { provider: line.provider }];
  }
  const { type: _, ...ended } = line;
  const at = trials.findIndex((one) => (
    one.provider === line.provider && one.outcome === undefined));
  return at < 0 ? [...trials, ended]
    : trials.map((one, i) => (i === at ? ended : one));
}
