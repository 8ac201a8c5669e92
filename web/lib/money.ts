/* Money travels as a decimal string, so it is never a binary fraction here. */

/** "₹24,999", "₹24,999.50"; nothing for what is no amount. */
export function money(amount: string | null | undefined, currency = 'INR'):
string | undefined {
  if (!amount || !/^\d+(\.\d+)?$/.test(amount)) {
    return undefined;
  }
  const [whole = '0', fraction = ''] = amount.split('.');
  const cents = fraction.padEnd(2, '0').slice(0, 2);
  const grouped = new Intl.NumberFormat('en-IN').format(BigInt(whole));
  const sign = currency === 'INR' ? '₹' : `${currency} `;
  return `${sign}${grouped}${cents === '00' ? '' : `.${cents}`}`;
}

/** In hundredths: exact, to compare by. */
export function minor(amount: string | null | undefined): bigint | undefined {
  if (!amount || !/^\d+(\.\d+)?$/.test(amount)) {
    return undefined;
  }
  const [whole = '0', fraction = ''] = amount.split('.');
  return BigInt(whole) * 100n + BigInt(fraction.padEnd(2, '0').slice(0, 2));
}

/** By how many per cent a price is below another, rounded down; or nothing. */
export function off(price: string | null | undefined,
                    mrp: string | null | undefined): number | undefined {
  const a = minor(price);
  const b = minor(mrp);
  if (a === undefined || b === undefined || b === 0n || a >= b) {
    return undefined;
  }
  return Number((b - a) * 100n / b);
}
