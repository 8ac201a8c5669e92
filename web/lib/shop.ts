/* What the shop's answers come in, made into one form each. */

import type { ProductPage } from './api';
import { minor } from './money';
import type { Point } from '../components/Chart';

export interface Facet {
  value: string;
  count: number;
}

/** {"sofa": 3} and [{"value": "sofa", "count": 3}] alike, most first. */
export function facet(page: ProductPage | undefined, name: string): Facet[] {
  const raw = page?.facets?.[name];
  let list: Facet[] = [];
  if (Array.isArray(raw)) {
    list = raw.flatMap((one: Record<string, unknown>) => {
      const value = one.value ?? one.name;
      return typeof value === 'string' && typeof one.count === 'number'
        ? [{ value, count: one.count }] : [];
    });
  } else if (typeof raw === 'object' && raw !== null) {
    list = Object.entries(raw).flatMap(([value, count]) => (
      typeof count === 'number' ? [{ value, count }] : []));
  }
  return list.sort((a, b) => b.count - a.count);
}

/** The points of a price's history, oldest first. */
export function history(answer: unknown): Point[] {
  let list: unknown = answer;
  if (typeof answer === 'object' && answer !== null && !Array.isArray(answer)) {
    const { points, results } = answer as Record<string, unknown>;
    list = points ?? results;
  }
  if (!Array.isArray(list)) {
    return [];
  }
  return (list as Record<string, unknown>[]).flatMap((one) => {
    const when = one.at ?? one.day ?? one.date;
    const at = typeof when === 'number' ? when : Date.parse(String(when));
    const price = minor(typeof one.price === 'string' ? one.price : null);
    return Number.isFinite(at) && price !== undefined
      ? [{ at, value: Number(price) / 100 }] : [];
  }).sort((a, b) => a.at - b.at);
}

/** "just now", "5 minutes ago", "3 days ago" */
export function ago(at: string | number | null, now = Date.now()):
string | undefined {
  const then = typeof at === 'number' ? at : Date.parse(at ?? '');
  if (!Number.isFinite(then)) {
    return undefined;
  }
  const minutes = Math.max(0, Math.round((now - then) / 60_000));
  const words = (n: number, unit: string) => (
    `${n} ${unit}${n === 1 ? '' : 's'} ago`);
  if (minutes < 1) {
    return 'just now';
  }
  if (minutes < 60) {
    return words(minutes, 'minute');
  }
  if (minutes < 48 * 60) {
    return words(Math.round(minutes / 60), 'hour');
  }
  return words(Math.round(minutes / 1440), 'day');
}
