import { describe, expect, it, vi } from 'vitest';
import { batched } from '../lib/batch';
import { decode } from '../lib/blurhash';
import { minor, money, off } from '../lib/money';
import { parse, sum } from '../lib/metrics';
import { answerOf, hasLines, withLine, type Progress, type Trial } from '../lib/lines';
import {
  enhanced, inWords, outcome, sent, serviceOf, trouble, wording,
} from '../lib/prompt';
import { choices, count, fits, points, rangeName, when, words } from '../lib/shop';
import { withChanges } from '../lib/url';
import { Problem, type ProductPage } from '../lib/api';

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

  it('offers what there is, and what was chosen', () => {
    const list = [{ value: 'ikea', count: 9 }, { value: 'amazon', count: 2 }];
    const one = page({ retailer: list });
    expect(choices(one, 'retailer', '')).toEqual(list);
    expect(choices(one, 'retailer', 'amazon')).toEqual(list);
    expect(choices(one, 'retailer', 'flipkart'))
      .toEqual([{ value: 'flipkart', count: 0 }, ...list]);
    expect(choices(undefined, 'category', '')).toEqual([]);
  });

  it('counts what is in stock', () => {
    const one = page({ inStock: [{ value: false, count: 3 },
                                 { value: true, count: 8 }], verified: [] });
    expect(count(one, 'inStock')).toBe(8);
    expect(count(one, 'verified')).toBe(0);
    expect(count(undefined, 'inStock')).toBeUndefined();
  });

  it('knows what may belong to what is looked at', () => {
    const product = {
      id: 'ikea:1', retailer: 'ikea', title: 'Green Sofa', productUrl: 'x',
      price: '100.00', currency: 'INR', inStock: true, verified: true,
      category: 'sofas',
    };
    const none = { query: '', category: '', retailer: '', minPrice: '',
                   maxPrice: '', inStock: '', verified: '' };
    for (const some of [{}, { query: 'sofa green' }, { retailer: 'ikea' },
                        { minPrice: '100', maxPrice: '100.00' },
                        { inStock: 'true', category: 'sofas' }]) {
      expect(fits(product, { ...none, ...some }), JSON.stringify(some)).toBe(true);
    }
    for (const some of [{ query: 'red sofa' }, { retailer: 'amazon' },
                        { minPrice: '100.01' }, { maxPrice: '99' },
                        { inStock: 'false' }, { category: 'lamps' }]) {
      expect(fits(product, { ...none, ...some }), JSON.stringify(some)).toBe(false);
    }
    expect(fits({ ...product, price: null }, { ...none, maxPrice: '9' })).toBe(false);
  });

  it('has ranges in words', () => {
    expect(rangeName({ min: '10000.00', max: '19999.99' }))
      .toBe('₹10,000 – ₹20,000');
    expect(rangeName({ min: null, max: '999.99' })).toBe('Under ₹1,000');
    expect(rangeName({ min: '5000000.00', max: null }))
      .toBe('₹50,00,000 and more');
    expect(rangeName({ min: '500', max: '750.50' })).toBe('₹500 – ₹750.50');
    expect(rangeName({ min: '', max: '' })).toBe('Any price');
    expect(words('tv-units')).toBe('Tv units');
  });

  it('has a history, oldest first', () => {
    const point = (at: string, price: string | null) => (
      { at, price, mrp: null, currency: 'INR', inStock: true });
    expect(points({ productId: 'a', days: 30, points: [
      point('2026-11-02T00:00:00Z', '90.50'),
      point('2026-11-01T00:00:00Z', '100'),
      point('2026-11-01T12:00:00Z', '100.00'),
      point('never', '1'), point('2026-11-03T00:00:00Z', null)] }))
      .toEqual([{ at: Date.UTC(2026, 10, 1), value: 100 },
                { at: Date.UTC(2026, 10, 2), value: 90.5 }]);
    expect(points(undefined)).toEqual([]);
  });

  it('tells as of when a price is', () => {
    const now = new Date(2026, 10, 10, 15, 0).getTime();
    const at = (...date: [number, number, number, number, number]) => (
      when(new Date(...date).toISOString(), now));
    expect(at(2026, 10, 10, 0, 5)).toBe('00:05');
    expect(at(2026, 10, 9, 23, 55)).toBe('yesterday, 23:55');
    expect(at(2026, 10, 8, 23, 55)).toBe('8 Nov');
    expect(at(2025, 10, 10, 12, 0)).toBe('10 Nov 2025');
    expect(when(null, now)).toBeUndefined();
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

describe('the lines of a picture in the making', () => {
  const lines = [
    { type: 'started', provider: 'groq' },
    { type: 'started', provider: 'stability' },
    { type: 'attempt', provider: 'groq', outcome: 'transient', ms: 12 },
    { type: 'attempt', provider: 'stability', outcome: 'won', ms: 40, note: 'kürzer' },
    { type: 'answer', status: 200, body: { id: 'g', status: 'done' } },
  ];

  /* In pieces of so many bytes, which may be half a letter. */
  function response(bytes: Uint8Array, size: number): Response {
    let at = 0;
    return new Response(new ReadableStream({
      pull(controller) {
        if (at >= bytes.length) {
          controller.close();
          return;
        }
        controller.enqueue(bytes.slice(at, at += size));
      },
    }), { headers: { 'Content-Type': 'application/x-ndjson' } });
  }

  const encode = (list: object[]) => (
    new TextEncoder().encode(list.map((one) => `${JSON.stringify(one)}\n`).join('')));

  it('are told one by one, whatever pieces they come in', async () => {
    for (const size of [1, 7, 100, 10_000]) {
      const told: Progress[] = [];
      const answer = await answerOf(response(encode(lines), size),
                                    (line) => { told.push(line); });
      expect(told).toEqual(lines.slice(0, -1));
      expect(answer).toEqual(lines.at(-1));
    }
  });

  it('have no answer when they are cut off', async () => {
    const told = vi.fn();
    expect(await answerOf(response(encode(lines).slice(0, -3), 50), told))
      .toBeUndefined();
    expect(told).toHaveBeenCalledTimes(4);
    expect(await answerOf(new Response(null), told)).toBeUndefined();
  });

  it('are known by their type', () => {
    const of = (type: string) => (
      hasLines(new Response('', { headers: { 'Content-Type': type } })));
    expect(of('application/x-ndjson; charset=utf-8')).toBe(true);
    expect(of('application/json')).toBe(false);
  });

  it('make a list of who is at it and who has ended', () => {
    const list = (lines.slice(0, -1) as Progress[])
      .reduce<Trial[]>(withLine, []);
    expect(list).toEqual([
      { provider: 'groq', outcome: 'transient', ms: 12 },
      { provider: 'stability', outcome: 'won', ms: 40, note: 'kürzer' },
    ]);
    expect(withLine([], { type: 'attempt', provider: 'a', outcome: 'limited', ms: 0 }))
      .toEqual([{ provider: 'a', outcome: 'limited', ms: 0 }]);
    expect(withLine([], { type: 'started', provider: 'a' })).toEqual([{ provider: 'a' }]);
  });

  it('have words for people', () => {
    expect(serviceOf('huggingface')).toBe('Hugging Face');
    expect(serviceOf('other')).toBe('other');
    expect(outcome('rate_limited')).toBe('asked for a pause');
    expect(trouble('providers_unavailable', 'see Retry-After', 7))
      .toEqual(['Not just now', 'No service could make the picture. Try again in 7 s.']);
    expect(trouble('too_long', 'The prompt is too long.'))
      .toEqual(['That did not work', 'The prompt is too long.']);
    expect(trouble('moderated', '', 600)[1]).toMatch(/in 10 minutes\.$/);
  });

  it('are for programs or for people', () => {
    const passing = new Problem(503, 'queue_unavailable', 'See Retry-After.');
    expect(inWords(passing)).not.toContain('Retry-After');
    expect(inWords(new Problem(400, 'too_long', 'Too long.'))).toBe('Too long.');
    expect(wording('moderated')).toBe(true);
    expect(wording('providers_unavailable')).toBe(false);
  });

  it('say what is to be seen, and what is not', () => {
    expect(sent('a room, 8k | negative: blurry, people'))
      .toEqual({ words: 'a room, 8k', without: 'blurry, people' });
    expect(sent('a room, 8k')).toEqual({ words: 'a room, 8k' });
    expect(sent(undefined)).toBeNull();
  });
});
