/*
 * Image sources and shops: the one place that names their hosts, which the
 * Content-Security-Policy lets in, and how each one's CDN is asked for a width
 * and a format.
 *
 * Addresses are those of /designs; goods.ts has those of /products.  Only what
 * a source is known to serve is asked for, and any other address is taken as
 * it is: a picture that is too large is better than none.  Unsplash's ixid
 * stays, as its terms want.
 */

export const imageHosts = [
  'https://images.pexels.com',
  'https://images.unsplash.com',
  'https://plus.unsplash.com',
  'https://pixabay.com',
  'https://cdn.pixabay.com',
  'https://live.staticflickr.com',
  'https://*.staticflickr.com',
  'https://upload.wikimedia.org',
  'https://images.rawpixel.com',
  'https://img.rawpixel.com',
  'https://api.openverse.org',
  // Shops
  'https://*.swadeshonline.com',
  'https://*.ulcdn.net',
  'https://*.fynd.com',
  'https://*.pepperfry.com',
  'https://*.media-amazon.com',
  'https://*.ssl-images-amazon.com',
  'https://*.flixcart.com',
  'https://www.ikea.com',
];

const names: Record<string, string> = {
  pexels: 'Pexels',
  unsplash: 'Unsplash',
  pixabay: 'Pixabay',
  flickr: 'Flickr',
  wikimedia: 'Wikimedia Commons',
  rawpixel: 'rawpixel',
  openverse: 'Openverse',
  urbanladder: 'Urban Ladder',
  pepperfry: 'Pepperfry',
  'amazon.in': 'Amazon.in',
  amazon: 'Amazon.in',
  flipkart: 'Flipkart',
  ikea: 'IKEA',
};

export const sourceNames = [
  'pexels', 'unsplash', 'pixabay', 'flickr', 'wikimedia', 'rawpixel',
  'openverse',
] as const;

export function nameOf(source: string): string {
  return names[source] ?? source;
}

export interface SourceImage {
  source: string;
  url: string;
  thumb: string;
  width: number | null;
  height: number | null;
}

/** The widths a picture is offered in. */
export const widths = [320, 480, 640, 960, 1280, 1920];

/*
 * The least of the steps that is as wide as wanted, and no wider than the
 * original; the greatest there is if none is.
 */
function step(steps: number[], wanted: number, original: number | null):
number | undefined {
  const there = steps.filter((s) => original === null || s < original);
  return there.find((s) => s >= wanted) ?? there.at(-1);
}

function withParameters(address: string, set: Record<string, string>,
                        unset: string[] = []): string {
  const url = new URL(address);
  for (const name of unset) {
    url.searchParams.delete(name);
  }
  for (const [name, value] of Object.entries(set)) {
    url.searchParams.set(name, value);
  }
  return url.href;
}

type Loader = (image: SourceImage, width: number) => string | undefined;

const loaders: Record<string, Loader> = {
  // imgix: any width, and the best format that the browser says it takes.
  unsplash: ({ thumb }, width) => withParameters(thumb, {
    auto: 'format', fit: 'max', q: '75', w: String(width),
  }, ['fm', 'h', 'cs', 'crop']),

  pexels: ({ thumb }, width) => withParameters(thumb, {
    auto: 'compress', cs: 'tinysrgb', fm: 'webp', w: String(width),
  }, ['h', 'dpr']),

  // "..._150.jpg" is there in a few sizes.
  pixabay: ({ thumb, width: original }, width) => {
    const size = step([340, 640, 1280], width, original);
    return size === undefined
      ? undefined : thumb.replace(/_150(?=\.\w+$)/, `_${size}`);
  },

  // The letter says the long side; up to 1024 all have the same secret.
  flickr: ({ thumb, width: w, height: h }, width) => {
    const long = w !== null && h !== null ? Math.max(w, h) : 320;
    const wanted = w !== null && h !== null && h > w
      ? Math.round(width * h / w) : width;
    const letters: Record<number, string> = {
      240: 'm', 320: 'n', 640: 'z', 800: 'c', 1024: 'b',
    };
    const size = step([240, 320, 640, 800, 1024], wanted, long);
    return size === undefined ? undefined
      : thumb.replace(/_[mnzcb](?=\.jpg$)/, `_${letters[size]}`);
  },

  // Others are refused, by 429.
  wikimedia: ({ thumb, width: original }, width) => {
    const size = step([330, 500, 960, 1280, 1920], width, original);
    return size === undefined
      ? undefined : thumb.replace(/\/\d+px-(?=[^/]*$)/, `/${size}px-`);
  },

  rawpixel: ({ thumb, width: original }, width) => {
    const size = step([400, 600, 800, 1000, 1300], width, original);
    return size === undefined
      ? undefined : thumb.replace(/\/image_\d+\//, `/image_${size}/`);
  },

  // Its own thumbnails have one size; the picture itself is on any host.
  openverse: ({ thumb }) => thumb,
};

/** The address of a picture at about that width. */
export function imageUrl(image: SourceImage, width: number): string {
  try {
    return loaders[image.source]?.(image, width) ?? image.thumb;
  } catch {
    return image.thumb;
  }
}

/** The address of a picture that is shown so many pixels wide. */
export function imageFor(image: SourceImage, pixels: number): string {
  const steps = widths.filter((width) => (
    image.width === null || width <= image.width));
  return imageUrl(image, steps.find((width) => width >= pixels)
                         ?? steps.at(-1) ?? 320);
}

/** For <img srcset>, or nothing where the source has one size. */
export function imageSet(image: SourceImage): string | undefined {
  return setOf(widths.filter((width) => (
    image.width === null || width <= image.width)),
               (width) => imageUrl(image, width));
}

/** A srcset of the addresses that differ; nothing if there is one. */
export function setOf(steps: number[], urlAt: (width: number) => string):
string | undefined {
  const seen = new Map<string, number>();
  for (const width of steps) {
    const url = urlAt(width);
    if (!seen.has(url)) {
      seen.set(url, width);
    }
  }
  if (seen.size < 2) {
    return undefined;
  }
  return [...seen].map(([url, width]) => `${encode(url)} ${width}w`).join(', ');
}

/* A comma or a blank would end an address in a srcset. */
function encode(url: string): string {
  return url.replace(/,/g, '%2C').replace(/\s/g, '%20');
}

/** An address of the open web, or nothing: what providers send is theirs. */
export function safeLink(url: string | null | undefined): string | undefined {
  if (!url) {
    return undefined;
  }
  try {
    const { protocol, href } = new URL(url);
    return protocol === 'https:' || protocol === 'http:' ? href : undefined;
  } catch {
    return undefined;
  }
}
