'use client';

import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { ExternalLink, Link2, Search, X } from 'lucide-react';
import Link from 'next/link';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { usePerformanceTracking } from '../hooks/usePerformanceTracking';
import { useScrollMemory } from '../hooks/useScrollMemory';
import { useWebSocket } from '../hooks/useWebSocket';
import { api, Problem, search, type Product } from '../lib/api';
import { money } from '../lib/money';
import { copyLink } from '../lib/share';
import { facet, history } from '../lib/shop';
import { nameOf, safeLink } from '../lib/sources';
import { useQueryParams, withChanges } from '../lib/url';
import { Chart } from './Chart';
import { Dialog } from './Dialog';
import { Note } from './Note';
import { Price, ProductCard, ProductImage } from './ProductCard';
import styles from './Shop.module.css';

const PER_PAGE = 48;
const FILTERS = ['query', 'category', 'retailer', 'minPrice', 'maxPrice',
  'inStock', 'sort'] as const;

const sorts = [
  ['', 'Best match'], ['price_asc', 'Price, low to high'],
  ['price_desc', 'Price, high to low'], ['newest', 'Newest'],
] as const;

export function Shop() {
  usePerformanceTracking('shop');
  const { get, change } = useQueryParams();
  const queries = useQueryClient();
  const filters = Object.fromEntries(FILTERS.map((name) => [name, get(name)])) as
    Record<typeof FILTERS[number], string>;
  const opened = get('product');
  const [text, setText] = useState(filters.query);
  useEffect(() => { setText(filters.query); }, [filters.query]);

  const key = search(filters);
  const path = (page: number) => `/products${search({
    ...filters, page, perPage: PER_PAGE, facets: 'category,retailer',
  })}`;
  const shop = useInfiniteQuery({
    queryKey: ['products', key],
    queryFn: ({ pageParam, signal }) => api.products(path(pageParam), signal),
    initialPageParam: 1,
    getNextPageParam: (last, all, page) => (
      page * PER_PAGE < last.total && last.results.length > 0
        ? page + 1 : undefined),
    staleTime: 30_000,
  });
  const [first] = shop.data?.pages ?? [];
  const products = useMemo(() => {
    const seen = new Map<string, Product>();
    for (const page of shop.data?.pages ?? []) {
      for (const product of page.results) {
        seen.set(product.id, seen.get(product.id) ?? product);
      }
    }
    return [...seen.values()];
  }, [shop.data]);
  useScrollMemory(`shop:${key}`, products.length > 0);

  // What is new is told of, and shown when the reader wants it.
  const [news, setNews] = useState(0);
  useEffect(() => { setNews(0); }, [key]);
  const closed = shop.error instanceof Problem
    && (shop.error.status === 404 || shop.error.status === 405);
  useWebSocket(shop.isSuccess ? 'products' : null, () => {
    setNews((n) => n + 1);
  });
  const refreshing = first?.refreshing === true;
  useEffect(() => {
    if (!refreshing) {
      return;
    }
    // The shops are being asked; what they have is here in a moment.
    const timer = setTimeout(() => {
      void queries.invalidateQueries({ queryKey: ['products', key] });
    }, 3000);
    return () => { clearTimeout(timer); };
  }, [refreshing, shop.dataUpdatedAt, queries, key]);

  const end = useRef<HTMLDivElement>(null);
  const { hasNextPage, isFetching, fetchNextPage } = shop;
  useEffect(() => {
    const element = end.current;
    if (!element || !hasNextPage || isFetching) {
      return;
    }
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) {
        void fetchNextPage();
      }
    }, { rootMargin: '1200px' });
    observer.observe(element);
    return () => { observer.disconnect(); };
  }, [hasNextPage, isFetching, fetchNextPage, products.length]);

  const open = useCallback((id: string) => { change({ product: id }, 'push'); },
                           [change]);
  const hrefOf = (id: string) => `/shop${withChanges(key.slice(1), { product: id })}`;

  if (closed) {
    return (
      <Note
        title="The shop is not open yet"
        action={<Link className="button" href="/feed" prefetch={false}>Discover designs</Link>}
      >
        This server does not sell furniture so far. There are designs to
        discover meanwhile.
      </Note>
    );
  }
  const set = FILTERS.some((name) => name !== 'query' && name !== 'sort'
    && filters[name]);

  return (
    <>
      <div className={styles.top}>
        <h1>Shop</h1>
        <form
          className={styles.search}
          role="search"
          onSubmit={(event) => {
            event.preventDefault();
            change({ query: text.trim(), product: undefined }, 'push');
          }}
        >
          <Search size={18} strokeWidth={1.7} aria-hidden />
          <input
            className="field"
            type="search"
            aria-label="Search furniture"
            placeholder="sofa, walnut desk, floor lamp"
            value={text}
            onChange={(event) => { setText(event.target.value); }}
          />
        </form>
        <select
          className={`field ${styles.sort}`}
          aria-label="Order"
          value={filters.sort}
          onChange={(event) => { change({ sort: event.target.value }, 'push'); }}
        >
          {sorts.map(([value, name]) => <option key={value} value={value}>{name}</option>)}
        </select>
      </div>

      <div className={styles.page}>
        <aside className={styles.filters} aria-label="Filters">
          {(['category', 'retailer'] as const).map((name) => {
            const values = facet(first, name);
            return values.length > 0 ? (
              <fieldset key={name}>
                <legend>{name}</legend>
                {values.slice(0, 12).map(({ value, count }) => (
                  <label key={value}>
                    <input
                      type="checkbox"
                      checked={filters[name] === value}
                      onChange={() => {
                        change({ [name]: filters[name] === value ? '' : value }, 'push');
                      }}
                    />
                    <span>{name === 'retailer' ? nameOf(value) : value}</span>
                    <small>{count}</small>
                  </label>
                ))}
              </fieldset>
            ) : null;
          })}
          <fieldset className={styles.range}>
            <legend>Price</legend>
            <PriceRange filters={filters} change={change} />
          </fieldset>
          <label className={styles.stock}>
            <input
              type="checkbox"
              checked={filters.inStock === 'true'}
              onChange={(event) => {
                change({ inStock: event.target.checked ? 'true' : '' }, 'push');
              }}
            />
            <span>In stock only</span>
          </label>
          {set ? (
            <button
              type="button"
              className="button quiet slim"
              onClick={() => {
                change({ category: '', retailer: '', minPrice: '', maxPrice: '', inStock: '' }, 'push');
              }}
            >
              <X size={16} aria-hidden /> Clear
            </button>
          ) : null}
        </aside>

        <section className={styles.results} aria-label="Products">
          <p className={styles.count} role="status">
            {first ? `${first.total.toLocaleString('en-IN')} product${first.total === 1 ? '' : 's'}` : ''}
            {refreshing ? ' · asking the shops for more' : ''}
            {news > 0 ? (
              <button
                type="button"
                className="button quiet slim"
                onClick={() => {
                  setNews(0);
                  void queries.invalidateQueries({ queryKey: ['products', key] });
                }}
              >
                {news} new
              </button>
            ) : null}
          </p>
          {shop.isError && products.length === 0 ? (
            <Note
              alert
              title="The shop cannot be reached"
              action={(
                <button type="button" className="button" onClick={() => { void shop.refetch(); }}>
                  Try again
                </button>
              )}
            >
              {shop.error.message}
            </Note>
          ) : null}
          {shop.isSuccess && products.length === 0 && !refreshing ? (
            <Note title="Nothing was found">Try other words, or fewer filters.</Note>
          ) : null}
          <div className={styles.grid}>
            {shop.isPending ? Array.from({ length: 8 }, (_, i) => (
              <span key={i} className={styles.blank} aria-hidden />
            )) : null}
            {products.map((product, i) => (
              <ProductCard
                key={product.id}
                product={product}
                href={hrefOf(product.id)}
                eager={i < 4}
                onOpen={open}
              />
            ))}
          </div>
          <div ref={end} className={styles.end}>
            {shop.isFetchingNextPage ? 'More is on its way' : ''}
          </div>
        </section>
      </div>

      {opened ? (
        <ProductDialog
          id={opened}
          known={products.find(({ id }) => id === opened)}
          link={hrefOf(opened)}
          onClose={() => { change({ product: undefined }, 'replace'); }}
        />
      ) : null}
    </>
  );
}

function PriceRange({ filters, change }: {
  filters: Record<'minPrice' | 'maxPrice', string>;
  change: (changes: Record<string, string>, how: 'push') => void;
}) {
  const apply = (name: string) => (event: { target: { value: string } }) => {
    const value = event.target.value.trim();
    if (/^\d*$/.test(value)) {
      change({ [name]: value }, 'push');
    }
  };
  return (
    <div className={styles.prices}>
      <input
        key={`a${filters.minPrice}`}
        className="field"
        inputMode="numeric"
        aria-label="From, in rupees"
        placeholder="from ₹"
        defaultValue={filters.minPrice}
        onBlur={apply('minPrice')}
        onKeyDown={(event) => { if (event.key === 'Enter') { event.currentTarget.blur(); } }}
      />
      <input
        key={`b${filters.maxPrice}`}
        className="field"
        inputMode="numeric"
        aria-label="To, in rupees"
        placeholder="to ₹"
        defaultValue={filters.maxPrice}
        onBlur={apply('maxPrice')}
        onKeyDown={(event) => { if (event.key === 'Enter') { event.currentTarget.blur(); } }}
      />
    </div>
  );
}

function ProductDialog({ id, known, link, onClose }: {
  id: string;
  known: Product | undefined;
  link: string;
  onClose: () => void;
}) {
  const query = useQuery({
    queryKey: ['product', id],
    queryFn: ({ signal }) => api.product(id, signal),
    placeholderData: known,
    staleTime: 30_000,
  });
  const past = useQuery({
    queryKey: ['product', id, 'history'],
    queryFn: ({ signal }) => api.history(id, 90, signal),
    retry: false,
  });
  const product = query.data ?? known;
  const points = useMemo(() => history(past.data), [past.data]);

  if (!product) {
    return (
      <Dialog label="Product" onClose={onClose}>
        <Note title={query.isError ? 'This product cannot be found' : 'One moment'}>
          {query.isError ? query.error.message : undefined}
        </Note>
      </Dialog>
    );
  }
  const seller = safeLink(product.productUrl);
  const lowest = money(product.lowest30d, product.currency);
  return (
    <Dialog label={product.title} onClose={onClose}>
      <div className={styles.product}>
        <ProductImage product={product} eager />
        <div className={styles.about}>
          <p className={styles.soft}>
            {nameOf(product.retailer)}{product.category ? ` · ${product.category}` : ''}
          </p>
          <h2>{product.title}</h2>
          <Price product={product} large />
          {lowest ? <p className={styles.soft}>Lowest in 30 days: {lowest}</p> : null}
          {points.length > 1 ? (
            <Chart
              points={points}
              label="Price in 90 days"
              format={(value) => money(value.toFixed(2), product.currency) ?? ''}
              steps
              tall
            />
          ) : null}
          <div className={styles.actions}>
            {seller ? (
              <a className="button" href={seller} target="_blank" rel="noreferrer nofollow">
                Buy at {nameOf(product.retailer)} <ExternalLink size={16} aria-hidden />
              </a>
            ) : null}
            <button
              type="button"
              className="button quiet"
              onClick={() => { void copyLink(link); }}
            >
              <Link2 size={16} aria-hidden /> Copy link
            </button>
          </div>
        </div>
      </div>
    </Dialog>
  );
}
