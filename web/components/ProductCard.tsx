'use client';

import { memo, useState } from 'react';
import { useRealtimePrice } from '../hooks/useRealtimePrice';
import type { Product } from '../lib/api';
import { money, off } from '../lib/money';
import { ago } from '../lib/shop';
import { nameOf, safeLink } from '../lib/sources';
import styles from './ProductCard.module.css';

export function ProductImage({ product, eager = false }: {
  product: Product;
  eager?: boolean;
}) {
  const [broken, setBroken] = useState(false);
  const src = safeLink(product.image);
  return (
    <span className={styles.image}>
      {src && !broken ? (
        // eslint-disable-next-line @next/next/no-img-element
        <img
          src={src}
          alt={product.title}
          loading={eager ? 'eager' : 'lazy'}
          decoding="async"
          referrerPolicy="no-referrer"
          onError={() => { setBroken(true); }}
        />
      ) : <span className={styles.none}>No picture</span>}
    </span>
  );
}

/** Price and stock as they are now; a change flashes. */
export function Price({ product, large = false }: {
  product: Product;
  large?: boolean;
}) {
  const live = useRealtimePrice(product.id, product, {
    title: product.title, delay: large ? 0 : 400,
  });
  const price = money(live.price, product.currency);
  const mrp = money(product.mrp, product.currency);
  const saved = off(live.price, product.mrp);
  const seen = ago(live.at);
  return (
    <div className={styles.price} data-large={large || undefined}>
      <p className={styles.amount} data-change={live.change ?? undefined}>
        <b data-testid="price">{price ?? 'Price unknown'}</b>
        {mrp && saved ? <s>{mrp}</s> : null}
        {saved ? <em>{saved}% off</em> : null}
      </p>
      <p className={styles.stock} data-stock={String(live.inStock)}>
        {live.inStock === null ? 'Stock unknown'
          : live.inStock ? 'In stock' : 'Out of stock'}
        {seen ? <span> · price {seen}</span> : null}
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
  return (
    <article className={styles.card} aria-label={product.title} data-id={product.id}>
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
        <ProductImage product={product} eager={eager} />
        <span className={styles.title}>{product.title}</span>
      </a>
      <Price product={product} />
      <p className={styles.shop}>
        {nameOf(product.retailer)}
        {product.verified === false ? ' · not verified yet' : ''}
      </p>
    </article>
  );
});
