/*
 * The pictures made in this browser, for a server that keeps no list of them
 * (without PostgreSQL) or while it cannot tell.
 */

import type { Generation } from './api';

const KEY = 'atelier.pictures';
const WORDS = 'atelier.words';
const MOST = 60;

function read(key: string): unknown[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(key) ?? '[]');
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}

function write(key: string, list: unknown[]): void {
  try {
    localStorage.setItem(key, JSON.stringify(list.slice(0, MOST)));
  } catch {
    // a browser that keeps nothing
  }
}

export function remember(generation: Generation): void {
  write(KEY, [generation,
              ...remembered().filter(({ id }) => id !== generation.id)]);
}

export function forget(id: string): void {
  write(KEY, remembered().filter((one) => one.id !== id));
}

export function remembered(): Generation[] {
  return (read(KEY) as (Generation | null)[])
    .filter((one): one is Generation => typeof one?.id === 'string'
      && typeof one.url === 'string' && one.url.startsWith('/'));
}

/** The words of a picture that is waited for: the server tells them with it. */
export function noteWords(id: string, words: string): void {
  write(WORDS, [[id, words], ...read(WORDS)
    .filter((one) => Array.isArray(one) && one[0] !== id)]);
}

export function wordsOf(id: string): string {
  const found = read(WORDS)
    .find((one) => Array.isArray(one) && one[0] === id) as unknown[] | undefined;
  return typeof found?.[1] === 'string' ? found[1] : '';
}
