/* What the shop's answers are made into, to be shown. */

import type { components } from './api-types';
import type { Product, ProductPage } from './api';
import { minor, money } from './money';
import type { Point } from '../components/Chart';

type Schemas = components['schemas'];
export type Range = Schemas['PriceRange'];

export interface Choice {
  value: string;
  count: number;
}

/** The values of a facet; one that is chosen is there in any case. */
export function choices(page: ProductPage | undefined,
                        name: 'category' | 'retailer', chosen: string):
Choice[] {
  const list = page?.facets?.[name] ?? [];
  return !chosen || list.some(({ value }) => value === chosen)
    ? list : [{ value: chosen, count: 0 }, ...list];
}

/** How many of that flag are "true"; nothing while it is not known. */
export function count(page: ProductPage | undefined,
                      name: 'inStock' | 'verified'): number | undefined {
  const list = page?.facets?.[name];
  return list && (list.find(({ value }) => value)?.count ?? 0);
}

/** "₹10,000 – ₹20,000", "Under ₹1,000", "₹50,00,000 and more" */
export function rangeName({ min, max }: Pick<Range, 'min' | 'max'>): string {
  // "19999.99": the next range begins where it ends
  const end = minor(max);
  const next = end === undefined || end % 100n !== 99n ? max
    : String((end + 1n) / 100n);
  const from = money(min);
  const to = money(next);
  if (from && to) {
    return `${from} – ${to}`;
  }
  return from ? `${from} and more` : to ? `Under ${to}` : 'Any price';
}

/** Whether a product that is new may belong to what is looked at. */
export function fits(product: Product, filters: {
  query: string; category: string; retailer: string; minPrice: string;
  maxPrice: string; inStock: string; verified: string;
}): boolean {
  const price = minor(product.price);
  const least = minor(filters.minPrice);
  const most = minor(filters.maxPrice);
  const title = product.title.toLowerCase();
  return (!filters.retailer || filters.retailer === product.retailer)
    && (!filters.category || filters.category === product.category)
    && (!filters.inStock || filters.inStock === String(product.inStock))
    && (!filters.verified || filters.verified === String(product.verified))
    && (least === undefined || (price !== undefined && price >= least))
    && (most === undefined || (price !== undefined && price <= most))
    && filters.query.toLowerCase().split(/\s+/)
      .every((word) => title.includes(word));
}

/** A word of a shop, as "tv-units", for people. */
export function words(text: string): string {
  const plain = text.replace(/-/g, ' ').trim();
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}

/** The points of a price's history, oldest first: those where it moved. */
export function points(history: Schemas['History'] | undefined): Point[] {
  return (history?.points ?? []).flatMap(({ at, price }) => {
    const when = Date.parse(at);
    const amount = minor(price);
    return Number.isFinite(when) && amount !== undefined
      ? [{ at: when, value: Number(amount) / 100 }] : [];
  }).sort((a, b) => a.at - b.at)
    .filter(({ value }, i, all) => value !== all[i - 1]?.value);
}

const clock = new Intl.DateTimeFormat('en-IN', {
  hour: '2-digit', minute: '2-digit', hourCycle: 'h23',
});
const day = new Intl.DateTimeFormat('en-IN', { day: 'numeric', month: 'short' });
const full = new Intl.DateTimeFormat('en-IN', {
  day: 'numeric', month: 'short', year: 'numeric',
});

/** "14:05" of today, "yesterday, 14:05", "3 Nov", "3 Nov 2025" */
export function when(at: string | number | null, now = Date.now()):
string | undefined {
  const then = typeof at === 'number' ? at : Date.parse(at ?? '');
  if (!Number.isFinite(then)) {
    return undefined;
  }
  const date = new Date(then);
  const today = new Date(now);
  const midnight = new Date(today.getFullYear(), today.getMonth(),
                            today.getDate()).getTime();
  if (then >= midnight) {
    return clock.format(date);
  }
  if (then >= midnight - 86_400_000) {
    return `yesterday, ${clock.format(date)}`;
  }
  return date.getFullYear() === today.getFullYear()
    ? day.format(date) : full.format(date);
}
