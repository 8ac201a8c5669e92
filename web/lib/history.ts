/*
 * The pictures made in this browser, for a server that keeps no list of them
 * (without PostgreSQL) or while it cannot tell.
 */

import type { Generation } from './api';

const KEY = 'atelier.pictures';
const MOST = 60;

export function remember(generation: Generation): void {
  try {
    const list = remembered().filter(({ id }) => id !== generation.id);
    localStorage.setItem(KEY, JSON.stringify([generation, ...list]
      .slice(0, MOST)));
  } catch {
    // a browser that keeps nothing
  }
}

export function forget(id: string): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(
      remembered().filter((one) => one.id !== id)));
  } catch {
    // likewise
  }
}

export function remembered(): Generation[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(list)
      ? list.filter((one): one is Generation => typeof one?.id === 'string'
        && typeof one?.url === 'string' && one.url.startsWith('/'))
      : [];
  } catch {
    return [];
  }
}
