/*
 * POST /generate, which tells of its attempts where the server can (lines.ts).
 */

import { call, problem, Problem, type Generation, type GenerationRequest } from './api';
import type { components } from './api-types';
import { answerOf, hasLines, type Progress } from './lines';

/** tell hears of attempts, from a server that tells of them. */
export async function generate(
  request: GenerationRequest, key: string, signal: AbortSignal,
  tell: (line: Progress) => void,
): Promise<Generation> {
  const response = await call('/generate', {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'Idempotency-Key': key,
      Accept: 'application/x-ndjson, application/json;q=0.9',
    },
    body: JSON.stringify(request),
    signal,
  });
  return hasLines(response) ? await picture(response, signal, tell)
    : await response.json() as Generation;
}

/* Reads the lines; what breaks off was under way, and may be tried again. */
async function picture(response: Response, signal: AbortSignal,
                       tell: (line: Progress) => void): Promise<Generation> {
  const answer = await answerOf(response, tell).catch((error: unknown) => {
    if (signal.aborted) {
      throw error;
    }
    return undefined;
  });
  if (answer === undefined) {
    throw new Problem(0, 'cut_off', 'The connection broke off before the '
                                    + 'picture was there.');
  }
  if (answer.status >= 400) {
    throw problem(answer.status, answer.retryAfter,
                  answer.body as components['schemas']['Problem']);
  }
  return answer.body as Generation;
}
