/*
 * Pictures of goods, by what stands in their paths: a shop has its pictures on
 * several hosts.  None of these says a format: where there is a choice the
 * CDN goes by what the browser says it takes.  IKEA's are taken as they are.
 */

import { safeLink, setOf, widths } from './sources';

const shopLoaders = new Map<string, (image: string, width: number) => string>([
  // ".../I/71xyz.jpg" is the original, "._AC_UL320_" a longest side.
  ['amazon', (image, width) => image.replace(
    /(\/images\/I\/[^/.]+)(?:\._[^/]*_)?(?=\.\w+$)/, `$1._AC_UL${width}_`)],

  ['flipkart', (image, width) => image.replace(
    /\/image\/\d+\/\d+\//, `/image/${width}/${width}/`)],

  ['pepperfry', (image, width) => image.replace(
    /(\/media\/catalog\/product\/.*\/)(?:494x544|800x880|1600x1760)\//,
    `$1${width <= 494 ? '494x544' : width <= 800 ? '800x880' : '1600x1760'}/`)],

  ['urbanladder', (image, width) => image.replace(
    /(\/v2\/.*\/)(?:original|resize-w:\d+|\d+x\d+)\//,
    `$1resize-w:${width}/`)],
]);

export interface ShopImage {
  retailer: string;
  image?: string | null;
}

/** The address of a product's picture at about that width, or nothing. */
export function goodUrl({ retailer, image }: ShopImage, width: number):
string | undefined {
  const known = safeLink(image);
  return known && (shopLoaders.get(retailer)?.(known, width) ?? known);
}

/** For <img srcset>, or nothing where the shop has one size. */
export function goodSet(good: ShopImage): string | undefined {
  return goodUrl(good, 0) === undefined ? undefined
    : setOf(widths.filter((width) => width <= 1280),
            (width) => goodUrl(good, width) ?? '');
}
