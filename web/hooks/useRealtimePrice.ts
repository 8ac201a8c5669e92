'use client';

import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { PriceUpdate, Product } from '../lib/api';
import { minor, money } from '../lib/money';
import { tell } from '../lib/toast';
import { useWebSocket } from './useWebSocket';

export interface RealtimePrice {
  price: string | null;
  inStock: boolean | null;
  /** When the price was seen, in the server's words. */
  at: string | number | null;
  /** For a moment after a change: which way it went. */
  change: 'up' | 'down' | null;
}

export interface UseRealtimePriceOptions {
  /** Tell of changes by a toast; with the product's title beside it. */
  title?: string;
  delay?: number;
  /** Listen; a socket has but so many channels. */
  live?: boolean;
}

const FLASH = 2400;

/**
 * The price and stock of a product, as they are now: from what is known of it
 * and the messages of product:{id}.  Changes flash, and are told by a toast.
 */
export function useRealtimePrice(
  productId: string,
  known: Pick<Product, 'price' | 'inStock' | 'priceAt'> | undefined,
  { title, delay, live = true }: UseRealtimePriceOptions = {},
): RealtimePrice {
  const queries = useQueryClient();
  const [update, setUpdate] = useState<PriceUpdate | null>(null);
  const [change, setChange] = useState<'up' | 'down' | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  // A list that was fetched later knows better.
  const told = update && !later(known?.priceAt, update.at) ? update : null;
  const price = told ? told.price : known?.price ?? null;
  const inStock = told ? told.inStock : known?.inStock ?? null;

  useEffect(() => () => { clearTimeout(timer.current); }, []);

  const channel = live ? `product:${productId}` : null;
  useWebSocket<PriceUpdate>(channel, (data, { first }) => {
    if (typeof data !== 'object' || data === null || !('price' in data)) {
      return;
    }
    const before = minor(price);
    const now = minor(data.price);
    const text = money(data.price, data.currency);

    setUpdate(data);
    if (first) {
      // What it was when we came is no news.
      return;
    }
    if (before !== undefined && now !== undefined && before !== now) {
      setChange(now < before ? 'down' : 'up');
      clearTimeout(timer.current);
      timer.current = setTimeout(() => { setChange(null); }, FLASH);
      tell('message', `Price updated: ${text}`, {
        id: `price:${productId}`, description: title,
      });
    }
    if (inStock === false && data.inStock === true) {
      tell('success', 'Back in stock!', {
        id: `stock:${productId}`, description: title,
      });
    }
  }, {
    ...(delay === undefined ? {} : { delay }),
    onGap: () => {
      void queries.invalidateQueries({ queryKey: ['product', productId] });
    },
  });

  return { price, inStock, at: told?.at ?? known?.priceAt ?? null, change };
}

function later(a: string | null | undefined, b: string | number | undefined):
boolean {
  return !!a && Date.parse(a) > new Date(b ?? NaN).getTime();
}
