'use client';

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { ExternalLink } from 'lucide-react';
import { useMemo } from 'react';
import { useWebSocket } from '../hooks/useWebSocket';
import {
  api, Problem, type History, type PriceUpdate, type Product,
} from '../lib/api';
import { money } from '../lib/money';
import { points, when, words } from '../lib/shop';
import { nameOf, safeLink } from '../lib/sources';
import { Chart } from './Chart';
import { CopyLink } from './CopyLink';
import { Dialog } from './Dialog';
import { Note } from './Note';
import { Price, ProductImage } from './ProductCard';
import styles from './ProductDialog.module.css';

const DAYS = 90;

export function ProductDialog({ id, known, link, onClose }: {
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
  const product = query.data ?? known;

  if (!product) {
    const gone = query.error instanceof Problem && query.error.status === 404;
    return (
      <Dialog label="Product" onClose={onClose}>
        <div className={styles.note}>
          {query.isError ? (
            <Note
              alert
              title={gone ? 'This product is not there' : 'This product cannot be shown just now'}
              action={gone ? undefined : (
                <button type="button" className="button" onClick={() => { void query.refetch(); }}>
                  Try again
                </button>
              )}
            >
              {gone ? 'The shop may have withdrawn it, or the link is incomplete.'
                : 'Our list of products cannot be read at the moment. Try again in a few seconds.'}
            </Note>
          ) : <Note title="One moment" />}
        </div>
      </Dialog>
    );
  }
  const seller = safeLink(product.productUrl);
  const lowest = money(product.lowest30d, product.currency);
  return (
    <Dialog label={product.title} onClose={onClose}>
      <div className={styles.product}>
        <ProductImage product={product} sizes="(max-width: 900px) 100vw, 560px" eager />
        <div className={styles.about}>
          <p className={styles.soft}>
            {nameOf(product.retailer)}
            {product.category ? ` · ${words(product.category)}` : ''}
            {product.verified === false ? ' · not verified yet' : ''}
          </p>
          <h2>{product.title}</h2>
          <Price product={product} large />
          <Past id={id} currency={product.currency} lowest={lowest} />
          <div className={styles.actions}>
            {seller ? (
              <a className="button" href={seller} target="_blank" rel="noopener noreferrer nofollow">
                Buy at {nameOf(product.retailer)} <ExternalLink size={16} aria-hidden />
                <span className="hidden">, in a new tab</span>
              </a>
            ) : null}
            <CopyLink path={link} />
          </div>
        </div>
      </div>
    </Dialog>
  );
}

/* What it has cost; a change that comes meanwhile is added. */
function Past({ id, currency, lowest }: {
  id: string;
  currency: string;
  lowest: string | undefined;
}) {
  const queries = useQueryClient();
  const past = useQuery({
    queryKey: ['product', id, 'history'],
    queryFn: ({ signal }) => api.history(id, DAYS, signal),
    retry: false,
    staleTime: 30_000,
  });
  useWebSocket<PriceUpdate>(`product:${id}`, (data, { first }) => {
    if (first || !data?.priceChanged) {
      return;
    }
    queries.setQueryData<History>(['product', id, 'history'], (old) => (
      old && {
        ...old,
        points: [...old.points, {
          at: new Date(data.at ?? Date.now()).toISOString(), price: data.price,
          mrp: null, currency, inStock: data.inStock,
        }],
      }));
  });
  const line = useMemo(() => points(past.data), [past.data]);
  const format = (value: number) => money(value.toFixed(2), currency) ?? '';
  const [first] = line;
  const flat = line.every(({ value }) => value === first?.value);

  return (
    <div className={styles.past}>
      {past.isPending ? <span className={styles.wait} aria-hidden /> : null}
      {first && !flat ? (
        <Chart points={line} label={`Price over ${DAYS} days`} format={format} steps tall />
      ) : null}
      {first && flat ? (
        <p className={styles.soft}>
          {`The price has been ${format(first.value)} since ${when(first.at) ?? 'we know it'}.`}
        </p>
      ) : null}
      {lowest && !flat
        ? <p className={styles.soft}>Lowest in 30 days: {lowest}</p> : null}
    </div>
  );
}
