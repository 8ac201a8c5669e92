'use client';

import { type ReactNode } from 'react';
import type { ProductPage } from '../lib/api';
import { choices, count, rangeName, words, type Choice } from '../lib/shop';
import { nameOf } from '../lib/sources';
import styles from './ShopFilters.module.css';

export const NARROWING = ['retailer', 'minPrice', 'maxPrice', 'inStock',
  'verified', 'category'] as const;

export type Narrowing = Record<typeof NARROWING[number], string>;
type Change = (changes: Partial<Narrowing>) => void;

/** What is chosen, in words, and what takes each back. */
export function chosen(filters: Narrowing): [string, Partial<Narrowing>][] {
  const list: [string, Partial<Narrowing>][] = [];
  if (filters.retailer) {
    list.push([nameOf(filters.retailer), { retailer: '' }]);
  }
  if (filters.minPrice || filters.maxPrice) {
    list.push([rangeName({ min: filters.minPrice, max: filters.maxPrice }),
               { minPrice: '', maxPrice: '' }]);
  }
  if (filters.inStock) {
    list.push([filters.inStock === 'false' ? 'Out of stock' : 'In stock',
               { inStock: '' }]);
  }
  if (filters.verified) {
    list.push([filters.verified === 'false' ? 'Not verified' : 'Verified',
               { verified: '' }]);
  }
  if (filters.category) {
    list.push([words(filters.category), { category: '' }]);
  }
  return list;
}

/* Those whose number varies stand last, so that nothing below them moves. */
export function ShopFilters({ page, failed, filters, change }: {
  page: ProductPage | undefined;
  failed: boolean;
  filters: Narrowing;
  change: Change;
}) {
  const ranges = page?.facets?.price?.ranges ?? [];
  const categories = choices(page, 'category', filters.category);

  return (
    <>
      <fieldset className={styles.group}>
        <legend>Show</legend>
        {([['inStock', 'In stock only'], ['verified', 'Verified only']] as const)
          .map(([name, label]) => (
            <Row
              key={name}
              type="checkbox"
              checked={filters[name] === 'true'}
              count={count(page, name)}
              onChange={(on) => { change({ [name]: on ? 'true' : '' }); }}
            >
              {label}
            </Row>
          ))}
      </fieldset>
      <Choices
        name="retailer"
        legend="Shop"
        any="All shops"
        list={choices(page, 'retailer', filters.retailer)}
        blanks={page || failed ? 0 : 5}
        label={nameOf}
        value={filters.retailer}
        onChoose={(retailer) => { change({ retailer }); }}
      />
      <fieldset className={styles.group}>
        <legend>Price</legend>
        <Bounds filters={filters} change={change} />
        {ranges.map(({ min, max, count: n }) => {
          const on = filters.minPrice === (min ?? '') && filters.maxPrice === (max ?? '');
          return (
            <Row
              key={min ?? ''}
              type="checkbox"
              checked={on}
              count={n}
              onChange={() => {
                change(on ? { minPrice: '', maxPrice: '' }
                  : { minPrice: min ?? '', maxPrice: max ?? '' });
              }}
            >
              {rangeName({ min, max })}
            </Row>
          );
        })}
      </fieldset>
      {categories.length > 0 ? (
        <Choices
          name="category"
          legend="Category"
          any="All categories"
          list={categories.slice(0, 16)}
          label={words}
          value={filters.category}
          onChoose={(category) => { change({ category }); }}
        />
      ) : null}
    </>
  );
}

/* One of several, or any. */
function Choices({ name, legend, any, list, blanks = 0, label, value, onChoose }: {
  name: string;
  legend: string;
  any: string;
  list: Choice[];
  blanks?: number;
  label: (value: string) => string;
  value: string;
  onChoose: (value: string) => void;
}) {
  return (
    <fieldset className={styles.group}>
      <legend>{legend}</legend>
      <Row type="radio" name={name} checked={value === ''} onChange={() => { onChoose(''); }}>
        {any}
      </Row>
      {Array.from({ length: blanks }, (_, i) => (
        <span key={i} className={styles.blank} aria-hidden><i /></span>
      ))}
      {list.map((one) => (
        <Row
          key={one.value}
          type="radio"
          name={name}
          checked={value === one.value}
          count={one.count}
          onChange={() => { onChoose(one.value); }}
        >
          {label(one.value)}
        </Row>
      ))}
    </fieldset>
  );
}

function Row({ type, name, checked, count: n, onChange, children }: {
  type: 'checkbox' | 'radio';
  name?: string;
  checked: boolean;
  count?: number | undefined;
  onChange: (on: boolean) => void;
  children: ReactNode;
}) {
  return (
    <label className={styles.row}>
      <input
        type={type}
        name={name}
        checked={checked}
        onChange={(event) => { onChange(event.target.checked); }}
      />
      <span>{children}</span>
      {n === undefined ? null : (
        <small>
          {n.toLocaleString('en-IN')}
          <span className="hidden"> products</span>
        </small>
      )}
    </label>
  );
}

function Bounds({ filters, change }: { filters: Narrowing; change: Change }) {
  return (
    <div className={styles.bounds}>
      {([['minPrice', 'From, in rupees', 'from ₹'],
         ['maxPrice', 'To, in rupees', 'to ₹']] as const)
        .map(([name, label, hint]) => (
          <input
            // What the address says is shown, also when "back" has changed it.
            key={`${name}${filters[name]}`}
            className="field"
            inputMode="numeric"
            aria-label={label}
            placeholder={hint}
            defaultValue={filters[name].replace(/\.\d*$/, '')}
            onBlur={(event) => {
              const value = event.target.value.trim();
              if (/^\d*$/.test(value)
                  && value !== filters[name].replace(/\.\d*$/, '')) {
                change({ [name]: value });
              }
            }}
            onKeyDown={(event) => {
              if (event.key === 'Enter') {
                event.currentTarget.blur();
              }
            }}
          />
        ))}
    </div>
  );
}
