'use client';

import {
  keepPreviousData, useInfiniteQuery, useQueryClient, type InfiniteData,
} from '@tanstack/react-query';
import { Search, SlidersHorizontal, X } from 'lucide-react';
import Link from 'next/link';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { usePerformanceTracking } from '../hooks/usePerformanceTracking';
import { useScrollMemory } from '../hooks/useScrollMemory';
import { useWebSocket } from '../hooks/useWebSocket';
import { api, Problem, search, type Product, type ProductPage } from '../lib/api';
import { fits } from '../lib/shop';
import { useQueryParams, withChanges } from '../lib/url';
import { NextPage } from './NextPage';
import { Note } from './Note';
import { ProductBlank, ProductCard } from './ProductCard';
import { ProductDialog } from './ProductDialog';
import { chosen, NARROWING, ShopFilters, type Narrowing } from './ShopFilters';
import styles from './Shop.module.css';

const PER_PAGE = 48;
const FACETS = 'category,retailer,inStock,verified,price';
const FILTERS = ['query', 'sort', ...NARROWING] as const;
const NOTHING = Object.fromEntries(NARROWING.map((name) => [name, '']));

const sorts = [
  ['', 'Best match'], ['price_asc', 'Price, low to high'],
  ['price_desc', 'Price, high to low'], ['newest', 'Newest'],
] as const;

const IDEAS = ['sofa', 'walnut desk', 'floor lamp'];

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
    ...filters, page, perPage: PER_PAGE, facets: FACETS,
  })}`;
  const shop = useInfiniteQuery({
    queryKey: ['products', key],
    queryFn: ({ pageParam, signal }) => api.products(path(pageParam), signal),
    initialPageParam: 1,
    getNextPageParam: (last, all, page) => (
      page * PER_PAGE < last.total && last.results.length > 0
        ? page + 1 : undefined),
    staleTime: 30_000,
    // While other filters are looked up, what is there stays there.
    placeholderData: keepPreviousData,
  });
  const older = shop.isPlaceholderData;
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
  useScrollMemory(`shop:${key}`, products.length > 0 && !older);

  // What is new is told of, and shown when the reader wants it.
  const [news, setNews] = useState(false);
  useEffect(() => { setNews(false); }, [key]);
  const renew = useCallback(() => {
    setNews(false);
    void queries.invalidateQueries({ queryKey: ['products', key] });
  }, [queries, key]);
  const closed = shop.error instanceof Problem
    && (shop.error.status === 404 || shop.error.status === 405);
  useWebSocket<Product>(shop.isSuccess ? 'products' : null, (product) => {
    if (products.some(({ id }) => id === product?.id)) {
      queries.setQueryData<InfiniteData<ProductPage>>(['products', key],
        (old) => old && withProduct(old, product));
    } else if (product && fits(product, filters)) {
      setNews(true);
    }
  });
  const refreshing = first?.refreshing === true;
  useEffect(() => {
    if (!refreshing) {
      return;
    }
    // The shops are being asked; what they have is here in a moment.
    const timer = setTimeout(renew, shop.isError ? 10_000 : 3000);
    return () => { clearTimeout(timer); };
  }, [refreshing, shop.isError, shop.dataUpdatedAt, shop.errorUpdatedAt, renew]);

  const end = useRef<HTMLDivElement>(null);
  const {
    hasNextPage, isFetching, isFetchingNextPage, isFetchNextPageError, fetchNextPage,
  } = shop;
  useEffect(() => {
    const element = end.current;
    if (!element || !hasNextPage || isFetching || isFetchNextPageError
        || older) {
      return;
    }
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) {
        void fetchNextPage();
      }
    }, { rootMargin: '1200px' });
    observer.observe(element);
    return () => { observer.disconnect(); };
  }, [hasNextPage, isFetching, isFetchNextPageError, fetchNextPage,
      products.length, older]);

  const open = useCallback((id: string) => { change({ product: id }, 'push'); },
                           [change]);
  const narrow = useCallback((changes: Partial<Narrowing>) => {
    const { minPrice = filters.minPrice, maxPrice = filters.maxPrice } = changes;
    change(minPrice && maxPrice && Number(minPrice) > Number(maxPrice)
      ? { ...changes, minPrice: maxPrice, maxPrice: minPrice } : changes, 'push');
    // What is found now begins at the top.
    const top = results.current?.offsetTop ?? 0;
    if (window.scrollY > top) {
      window.scrollTo(0, Math.max(0, top - 90));
    }
  }, [change, filters.minPrice, filters.maxPrice]);
  const [filtering, setFiltering] = useState(false);
  const results = useRef<HTMLElement>(null);
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
  const picked = chosen(filters);
  const failed = shop.isError && products.length === 0;
  const nothing = shop.isSuccess && products.length === 0 && !refreshing;

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
            placeholder={IDEAS.join(', ')}
            value={text}
            onChange={(event) => { setText(event.target.value); }}
          />
        </form>
        <select
          className={`field ${styles.sort}`}
          aria-label="Order"
          value={filters.sort || (filters.query ? '' : 'newest')}
          onChange={(event) => { change({ sort: event.target.value }, 'push'); }}
        >
          {sorts.filter(([value]) => filters.query || value)
            .map(([value, name]) => (
              <option key={value} value={value}>{name}</option>
            ))}
        </select>
      </div>

      <div className={styles.page}>
        <div className={styles.side}>
          <button
            type="button"
            className={`button quiet slim ${styles.toggle}`}
            aria-expanded={filtering}
            aria-controls="filters"
            onClick={() => { setFiltering((on) => !on); }}
          >
            <SlidersHorizontal size={16} aria-hidden /> Filters
            {picked.length > 0 ? ` (${picked.length})` : ''}
          </button>
          <aside
            id="filters"
            className={styles.filters}
            aria-label="Filters"
            data-open={filtering || undefined}
          >
            <ShopFilters page={first} failed={failed} filters={filters} change={narrow} />
          </aside>
        </div>

        <section ref={results} className={styles.results} aria-label="Products" aria-busy={older || shop.isPending}>
          <div className={styles.count}>
            <p role="status">
              {shop.isPending ? 'Looking through the shops' : ''}
              {first && (products.length > 0 || filters.query || picked.length > 0) ? `${first.total.toLocaleString('en-IN')}${first.total >= 10_000 ? ' or more' : ''} product${first.total === 1 ? '' : 's'}` : ''}
              {refreshing ? ' · asking the shops for more' : ''}
            </p>
            {news && !refreshing ? (
              <button type="button" className="button quiet slim" onClick={renew}>
                Show what is new
              </button>
            ) : null}
            {picked.map(([name, undo]) => (
              <button
                key={name}
                type="button"
                className={styles.chip}
                onClick={() => { narrow(undo); }}
              >
                <span className="hidden">Without </span>{name}
                <X size={14} aria-hidden />
              </button>
            ))}
            {picked.length > 1 ? (
              <button type="button" className={styles.clear} onClick={() => { narrow(NOTHING); }}>
                Clear all
              </button>
            ) : null}
          </div>
          {failed ? (
            <Note
              alert
              title="The shop cannot be reached"
              action={(
                <button type="button" className="button" onClick={() => { void shop.refetch(); }}>
                  Try again
                </button>
              )}
            >
              {shop.error instanceof Problem && shop.error.status >= 500
                ? 'Our list of products cannot be read at the moment. Try again in a few seconds.'
                : shop.error.message}
            </Note>
          ) : null}
          {nothing && picked.length > 0 ? (
            <Note
              title="Nothing was found"
              action={(
                <button type="button" className="button" onClick={() => { narrow(NOTHING); }}>
                  Clear the filters
                </button>
              )}
            >
              Without the filters there may be something.
            </Note>
          ) : null}
          {nothing && picked.length === 0 ? (
            <Note
              title={filters.query ? 'Nothing was found' : 'What are you looking for?'}
              action={(
                <span className={styles.ideas}>
                  {IDEAS.map((idea) => (
                    <button
                      key={idea}
                      type="button"
                      className="button quiet slim"
                      onClick={() => { change({ query: idea }, 'push'); }}
                    >
                      {idea}
                    </button>
                  ))}
                </span>
              )}
            >
              {filters.query ? 'No shop has anything by that name. Try other words:'
                : 'Say what it is, and the shops are asked for it:'}
            </Note>
          ) : null}
          <div className={styles.grid} data-older={older || undefined}>
            {shop.isPending ? Array.from({ length: 8 }, (_, i) => (
              <ProductBlank key={i} />
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
          <div ref={end}>
            {products.length > 0 ? (
              <NextPage fetching={isFetchingNextPage} failed={isFetchNextPageError} again={fetchNextPage} />
            ) : null}
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

/* A page with a newer form of one of its products. */
function withProduct(old: InfiniteData<ProductPage>, product: Product):
InfiniteData<ProductPage> {
  return {
    ...old,
    pages: old.pages.map((page) => ({
      ...page,
      results: page.results.map((one) => (
        one.id === product.id ? product : one)),
    })),
  };
}
