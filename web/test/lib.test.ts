import { describe, expect, it, vi } from 'vitest';
import { batched } from '../lib/batch';
import { decode } from '../lib/blurhash';
import { minor, money, off } from '../lib/money';
import { parse, sum } from '../lib/metrics';
import { enhanced } from '../lib/prompt';
import { ago, facet, history } from '../lib/shop';
import { withChanges } from '../lib/url';
import type { ProductPage } from '../lib/api';

vi.mock('next/navigation', () => ({ useSearchParams: () => new URLSearchParams() }));

describe('money', () => {
  it('is shown as in India', () => {
    expect(money('24999')).toBe('₹24,999');
    expect(money('124999.50')).toBe('₹1,24,999.50');
    expect(money('9999999.00', 'INR')).toBe('₹99,99,999');
    expect(money('5', 'EUR')).toBe('EUR 5');
  });

  it('is no number that is rounded', () => {
    expect(money('90071992547409931.07')).toBe('₹9,00,71,99,25,47,40,99,31.07'
      .replace('9,00,71,99,25,47,40,99,31', new Intl.NumberFormat('en-IN')
        .format(90071992547409931n)));
    expect(minor('0.10')).toBe(10n);
    expect(minor('19.9')).toBe(1990n);
  });

  it('is nothing where there is none', () => {
    for (const bad of [null, undefined, '', 'NaN', '1e5', '-3', '1,000']) {
      expect(money(bad)).toBeUndefined();
      expect(minor(bad)).toBeUndefined();
    }
  });

  it('is saved in whole per cents', () => {
    expect(off('750', '1000')).toBe(25);
    expect(off('999', '1000')).toBe(0);
    expect(off('1000', '1000')).toBeUndefined();
    expect(off('5', null)).toBeUndefined();
  });
});

describe('blurhash', () => {
  it('becomes a picture', () => {
    const pixels = decode('LKO+|g%AnVe0u?]6Eo?P4Nqy9^HO', 4, 3);
    expect(pixels).toHaveLength(48);
    expect(pixels?.[3]).toBe(255);
  });

  it('of one colour is that colour', () => {
    // 1x1: the size, the maximum, and 0xff8000 in base 83
    const pixels = decode('00TG]6', 1, 1);
    expect(pixels).toBeDefined();
  });

  it('that is none is nothing', () => {
    for (const bad of ['', 'L', 'LKO+|g%AnVe0u?]6Eo?P4Nqy9^H',
                       'LKO+|g%AnVe0u?]6Eo?P4Nqy9^H"', '<script>']) {
      expect(decode(bad, 4, 4)).toBeUndefined();
    }
  });
});

describe('the shop', () => {
  const page = (facets: ProductPage['facets']) => (
    { total: 0, results: [], ...(facets ? { facets } : {}) });

  it('has facets in either form', () => {
    const want = [{ value: 'sofa', count: 9 }, { value: 'lamp', count: 2 }];
    expect(facet(page({ category: { lamp: 2, sofa: 9 } }), 'category'))
      .toEqual(want);
    expect(facet(page({
      category: [{ value: 'lamp', count: 2 }, { value: 'sofa', count: 9 }],
    }), 'category')).toEqual(want);
    expect(facet(page({ category: 'x' }), 'category')).toEqual([]);
    expect(facet(undefined, 'category')).toEqual([]);
  });

  it('has a history, oldest first', () => {
    const points = [{ at: '2026-11-02T00:00:00Z', price: '90.50' },
                    { at: '2026-11-01T00:00:00Z', price: '100' },
                    { at: 'never', price: '1' }, { at: 5, price: null }];
    const want = [{ at: Date.UTC(2026, 10, 1), value: 100 },
                  { at: Date.UTC(2026, 10, 2), value: 90.5 }];
    expect(history(points)).toEqual(want);
    expect(history({ points })).toEqual(want);
    expect(history('x')).toEqual([]);
    expect(history(null)).toEqual([]);
  });

  it('tells how old a price is', () => {
    const now = Date.UTC(2026, 10, 10);
    expect(ago(now - 20_000, now)).toBe('just now');
    expect(ago(now - 60_000, now)).toBe('1 minute ago');
    expect(ago(new Date(now - 3 * 3_600_000).toISOString(), now))
      .toBe('3 hours ago');
    expect(ago(now - 5 * 86_400_000, now)).toBe('5 days ago');
    expect(ago(null, now)).toBeUndefined();
  });
});

it('shows the prompt that will be sent', () => {
  expect(enhanced({ prompt: ' a room ', style: 'japandi', roomType: 'study' }))
    .toBe('a room, high quality, professional photography, 8k resolution, '
          + 'japandi style, study interior');
});

it('reads metrics', () => {
  const samples = parse('# HELP x y\nx_total{a="1",b="q\\"z"} 3\nx_total{a="2"} 4'
    + '\ny 1e3\nbad line\nz NaN\n');
  expect(samples).toHaveLength(3);
  expect(sum(samples, 'x_total')).toBe(7);
  expect(sum(samples, 'x_total', { a: '2' })).toBe(4);
  expect(sum(samples, 'nothing')).toBe(0);
});

it('changes the address and nothing else of it', () => {
  expect(withChanges('query=sofa&color=red', { color: '', page: '2' }))
    .toBe('?query=sofa&page=2');
  expect(withChanges('color=red', { color: undefined })).toBe('');
});

describe('a batch', () => {
  it('asks for all of a turn at once, each once', async () => {
    const asked: string[][] = [];
    const one = batched<string>((keys) => {
      asked.push(keys);
      return Promise.resolve(new Map(keys.map((key) => [key, key.toUpperCase()])));
    }, 100, 5);
    expect(await Promise.all([one('a'), one('b'), one('a')]))
      .toEqual(['A', 'B', 'A']);
    expect(asked).toEqual([['a', 'b']]);
    expect(await one('c')).toBe('C');
    expect(asked).toHaveLength(2);
  });

  it('is no larger than it may be', async () => {
    const asked: string[][] = [];
    const one = batched<string>((keys) => {
      asked.push(keys);
      return Promise.resolve(new Map(keys.map((key) => [key, key])));
    }, 2, 5);
    expect(await Promise.all(['a', 'b', 'c', 'd', 'e'].map(one)))
      .toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(asked).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  });

  it('fails for those who asked, and goes on', async () => {
    let fail = true;
    const one = batched<string>((keys) => (fail
      ? Promise.reject(new Error('no'))
      : Promise.resolve(new Map(keys.map((key) => [key, key])))), 9, 5);
    await expect(one('a')).rejects.toThrow('no');
    fail = false;
    expect(await one('a')).toBe('a');
  });
});
