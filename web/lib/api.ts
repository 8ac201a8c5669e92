/*
 * The HTTP API, with the types of api/openapi.json.  An answer that is no
 * success is thrown as a Problem, which has words to show.  generate.ts asks for
 * a picture, which only one page does.
 */

import type { components } from './api-types';
import { measure } from './telemetry';

type Schemas = components['schemas'];
export type Design = Schemas['Design'];
export type DesignPage = Schemas['DesignPage'];
export type Generation = Schemas['Generation'];
export type GenerationRequest = Schemas['GenerationRequest'];
export type GenerationList = Schemas['GenerationList'];
export type History = Schemas['History'];
export type Like = Schemas['Like'];
export type LikeList = Schemas['LikeList'];
export type Options = Schemas['Options'];
export type PriceUpdate = Schemas['PriceUpdate'];
export type Product = Schemas['Product'];
export type ProductPage = Schemas['ProductPage'];

export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  /** Seconds, if the server said when to come again. */
  readonly retryAfter: number | undefined;
  /** Of a picture: who was asked, if it got as far. */
  readonly attempts: Schemas['Attempt'][];

  constructor(status: number, code: string, detail: string,
              retryAfter?: number, attempts: Schemas['Attempt'][] = []) {
    super(detail);
    this.name = 'Problem';
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
    this.attempts = attempts;
  }
}

/** The server has said that it is not to be had: nobody need ask again. */
export function refused(error: unknown): boolean {
  return error instanceof Problem && error.status !== 0
    && error.status !== 429 && error.status < 500;
}

/** ms until it may be asked again: so many, or as long as it has said. */
export function pauseAfter(error: unknown, least: number): number {
  const seconds = error instanceof Problem ? error.retryAfter ?? 0 : 0;
  return Math.max(seconds * 1000, least);
}

const WORDS: Record<number, string> = {
  0: 'The server cannot be reached. Are you online?',
  404: 'There is nothing here.',
  413: 'That is too much text.',
  429: 'That was a lot at once. Give it a moment.',
  502: 'No service would take this.',
  503: 'The services are busy. Try again in a moment.',
};

function words(status: number): string {
  return WORDS[status] ?? 'Something went wrong on the server.';
}

export function problem(status: number, retryAfter: number | undefined,
                 { code, detail, attempts }: Partial<Schemas['Problem']>) {
  return new Problem(status, code ?? `http_${status}`, detail ?? words(status),
                     retryAfter, attempts);
}

async function problemOf(response: Response): Promise<Problem> {
  const after = Number(response.headers.get('Retry-After') ?? NaN);
  let body: Partial<Schemas['Problem']> = {};

  // nginx's own refusals are pages of HTML: nothing to show.
  if (response.headers.get('Content-Type')?.includes('json')) {
    try {
      body = await response.json() as Partial<Schemas['Problem']>;
    } catch {
      // the words we have will do
    }
  }
  return problem(response.status, Number.isFinite(after) ? after : undefined,
                 body);
}

/** polled: nobody waits for it, and it comes often; so it is not measured. */
export async function call(path: string, init?: RequestInit,
                           polled = false): Promise<Response> {
  const start = performance.now();
  let response: Response;

  try {
    response = await fetch(path, { credentials: 'same-origin', ...init });
  } catch (error) {
    if (init?.signal?.aborted) {
      throw error;
    }
    throw new Problem(0, 'unreachable', words(0));
  }
  // A picture takes as long as it takes; that is its provider's time.
  if (init?.method !== 'POST' && !polled) {
    measure('api_time', performance.now() - start, path);
  }
  const cache = response.headers.get('X-Cache');
  if (cache) {
    measure('cache_hit', cache === 'L1' || cache === 'L2' ? 1 : 0);
  }
  if (!response.ok) {
    throw await problemOf(response);
  }
  return response;
}

async function get<T>(path: string, signal?: AbortSignal,
                      polled = false): Promise<T> {
  const response = await call(path, signal ? { signal } : undefined, polled);
  return await response.json() as T;
}

/** "?a=b" of what has a value. */
export function search(parameters:
  Record<string, string | number | boolean | undefined>): string {
  const set = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') {
      set.set(name, String(value));
    }
  }
  const text = set.toString();
  return text ? `?${text}` : '';
}

/*
 * In a path an id keeps its colon; whatever else there may be is encoded.
 */
function segment(id: string): string {
  return encodeURIComponent(id).replace(/%3A/g, ':');
}

export const api = {
  generation: (id: string, signal?: AbortSignal) =>
    get<Generation>(`/generate/${segment(id)}`, signal),

  async cancel(id: string): Promise<void> {
    await call(`/generate/${segment(id)}`, { method: 'DELETE' });
  },

  /** next is as a page before has given it. */
  generations: (signal?: AbortSignal, next = '/generate') =>
    get<GenerationList>(next, signal),

  options: (signal?: AbortSignal) => get<Options>('/generate/options', signal),

  /** next is as a page before has given it. */
  designs: (path: string, signal?: AbortSignal) =>
    get<DesignPage>(path, signal),

  design: (id: string, signal?: AbortSignal) =>
    get<Design>(`/designs/${segment(id)}`, signal),

  likes: (ids: string[], signal?: AbortSignal) =>
    get<LikeList>(`/designs/likes?ids=${ids.map(segment).join(',')}`, signal),

  ownLikes: (path = '/designs/likes?perPage=100', signal?: AbortSignal) =>
    get<LikeList>(path, signal),

  async like(id: string, liked: boolean): Promise<Like> {
    const response = await call(`/designs/${segment(id)}/like`,
                                { method: liked ? 'PUT' : 'DELETE' });
    return await response.json() as Like;
  },

  /** For sources that want to know; nobody waits for it. */
  downloaded(id: string): void {
    call(`/designs/${segment(id)}/download`, { method: 'POST' })
      .catch(() => {});
  },

  products: (path: string, signal?: AbortSignal) =>
    get<ProductPage>(path, signal),

  product: (id: string, signal?: AbortSignal) =>
    get<Product>(`/products/${segment(id)}`, signal),

  history: (id: string, days: number, signal?: AbortSignal) =>
    get<History>(`/products/${segment(id)}/history?days=${days}`, signal),

  ready: (signal?: AbortSignal) =>
    get<Record<string, unknown>>('/health/ready', signal, true),

  async metrics(signal?: AbortSignal): Promise<string> {
    return await (await call('/metrics', signal ? { signal } : undefined, true))
      .text();
  },
};
