'use client';

import { memo, useRef, useState } from 'react';
import { useNear } from '../hooks/useNear';
import { useRealtimePrice } from '../hooks/useRealtimePrice';
import type { Product } from '../lib/api';
import { money, off } from '../lib/money';
import { when } from '../lib/shop';
import { goodSet, goodUrl } from '../lib/goods';
import { nameOf } from '../lib/sources';
import styles from './ProductCard.module.css';

export function ProductImage({ product, sizes, eager = false }: {
  product: Product;
  sizes: string;
  eager?: boolean;
}) {
  // A size that a shop does not have after all is not the end of it.
  const [broken, setBroken] = useState(0);
  const src = broken === 0 ? goodUrl(product, 640) : product.image ?? undefined;
  return (
    <span className={styles.image}>
      {src && goodUrl(product, 0) && broken < 2 ? (
        // next/image would ask one optimiser; these are asked of their own CDN.
        // eslint-disable-next-line @next/next/no-img-element
        <img
          src={src}
          srcSet={broken === 0 ? goodSet(product) : undefined}
          sizes={sizes}
          alt={product.title}
          loading={eager ? 'eager' : 'lazy'}
          decoding="async"
          referrerPolicy="no-referrer"
          onError={() => { setBroken((n) => n + 1); }}
        />
      ) : <span className={styles.none}>No picture</span>}
    </span>
  );
}

/** Price and stock as they are now; a change flashes. */
export function Price({ product, live: listens = true, large = false }: {
  product: Product;
  live?: boolean;
  large?: boolean;
}) {
  const live = useRealtimePrice(product.id, product, {
    title: product.title, delay: large ? 0 : 400, live: listens,
  });
  const price = money(live.price, product.currency);
  const mrp = money(product.mrp, product.currency);
  const saved = off(live.price, product.mrp);
  const seen = when(live.at);
  return (
    <div className={styles.price} data-large={large || undefined}>
      <p className={styles.amount} data-change={live.change ?? undefined}>
        <b data-testid="price">{price ?? 'Price unknown'}</b>
        {mrp && saved ? <s><span className="hidden">before </span>{mrp}</s> : null}
        {saved ? <em>{saved}% off</em> : null}
      </p>
      <p className={styles.stock} data-stock={String(live.inStock)}>
        <span>
          {live.inStock === null ? 'Stock unknown'
            : live.inStock ? 'In stock' : 'Out of stock'}
        </span>
        {price && seen ? (
          <small>
            price as of{' '}
            <time dateTime={new Date(live.at ?? 0).toISOString()}>{seen}</time>
          </small>
        ) : null}
      </p>
    </div>
  );
}

export const ProductCard = memo(function ProductCard({
  product, href, eager, onOpen,
}: {
  product: Product;
  href: string;
  eager: boolean;
  onOpen: (id: string) => void;
}) {
  const ref = useRef<HTMLElement>(null);
  const near = useNear(ref);
  return (
    <article ref={ref} className={styles.card} aria-label={product.title} data-id={product.id}>
      <a
        href={href}
        className={styles.open}
        onClick={(event) => {
          if (!event.metaKey && !event.ctrlKey && !event.shiftKey) {
            event.preventDefault();
            onOpen(product.id);
          }
        }}
      >
        <ProductImage
          product={product}
          sizes="(max-width: 760px) 46vw, 240px"
          eager={eager}
        />
        <span className={styles.title}>{product.title}</span>
      </a>
      <Price product={product} live={near} />
      <p className={styles.shop}>
        {nameOf(product.retailer)}
        {product.verified === false ? ' · unverified' : ''}
      </p>
    </article>
  );
});

/** The place of a card that is on its way; as large as one. */
export function ProductBlank() {
  return (
    <div className={styles.blank} aria-hidden>
      <span className={styles.image} />
      <i /><i /><i /><i />
    </div>
  );
}
