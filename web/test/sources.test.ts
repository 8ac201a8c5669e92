import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { goodSet, goodUrl } from '../lib/goods';
import {
  imageHosts, imageSet, imageUrl, safeLink, sourceNames, type SourceImage,
} from '../lib/sources';

/* As /designs has them, of the real hosts. */
const images: Record<string, SourceImage> = {
  pexels: {
    source: 'pexels',
    url: 'https://images.pexels.com/photos/1/pexels-photo-1.jpeg',
    thumb: 'https://images.pexels.com/photos/1/pexels-photo-1.jpeg?auto=compress&cs=tinysrgb&h=350',
    width: 4292, height: 6439,
  },
  unsplash: {
    source: 'unsplash',
    url: 'https://images.unsplash.com/photo-1?crop=entropy&cs=srgb&fm=jpg&ixid=M3w1&ixlib=rb-4.1.0&q=85',
    thumb: 'https://images.unsplash.com/photo-1?crop=entropy&cs=tinysrgb&fit=max&fm=jpg&ixid=M3w1&ixlib=rb-4.1.0&q=80&w=400',
    width: 6078, height: 4862,
  },
  pixabay: {
    source: 'pixabay',
    url: 'https://pixabay.com/get/g1b87_1280.jpg',
    thumb: 'https://cdn.pixabay.com/photo/2023/04/05/room-1_150.jpg',
    width: 5824, height: 3882,
  },
  flickr: {
    source: 'flickr',
    url: 'https://live.staticflickr.com/65535/6057_6f99_o.jpg',
    thumb: 'https://live.staticflickr.com/65535/6057_6f99_n.jpg',
    width: 4875, height: 3656,
  },
  wikimedia: {
    source: 'wikimedia',
    url: 'https://upload.wikimedia.org/wikipedia/commons/3/30/A_(1).jpg',
    thumb: 'https://upload.wikimedia.org/wikipedia/commons/thumb/3/30/A_(1).jpg/330px-A_(1).jpg',
    width: 7723, height: 5792,
  },
  rawpixel: {
    source: 'rawpixel',
    url: 'https://images.rawpixel.com/image_1300/viL%2BO.jpg',
    thumb: 'https://images.rawpixel.com/image_400/viL%2BO.jpg',
    width: 6778, height: 6778,
  },
  openverse: {
    source: 'openverse',
    url: 'https://anywhere.example/room.jpg',
    thumb: 'https://api.openverse.org/v1/images/d026/thumb/',
    width: 3979, height: 2984,
  },
};

function image(source: string): SourceImage {
  const found = images[source];
  if (!found) {
    throw new Error(source);
  }
  return found;
}

describe('a width is asked of the CDN of', () => {
  for (const [source, want] of [
    ['pexels', /auto=compress&cs=tinysrgb&fm=webp&w=640$/],
    ['unsplash', /fit=max&ixid=M3w1&ixlib=rb-4\.1\.0&q=75&w=640&auto=format$/],
    ['pixabay', /_640\.jpg$/],
    ['flickr', /_z\.jpg$/],
    ['wikimedia', /\/960px-A_\(1\)\.jpg$/],
    ['rawpixel', /\/image_800\//],
    ['openverse', /\/thumb\/$/],
  ] as const) {
    it(source, () => { expect(imageUrl(image(source), 640)).toMatch(want); });
  }
});

it('keeps to the widths that Commons does not refuse', () => {
  for (let width = 100; width < 3000; width += 50) {
    expect(imageUrl(image('wikimedia'), width))
      .toMatch(/\/(330|500|960|1280|1920)px-/);
  }
});

it('asks for no more than the original has', () => {
  expect(imageUrl({ ...image('wikimedia'), width: 700 }, 1920))
    .toMatch(/\/500px-/);
  expect(imageUrl({ ...image('wikimedia'), width: 200 }, 1920))
    .toBe(image('wikimedia').thumb);
  expect(imageUrl({ ...image('flickr'), width: 900, height: 700 }, 1920))
    .toMatch(/_c\.jpg$/);
});

it("counts Flickr's letters by the long side", () => {
  const upright = { ...image('flickr'), width: 3656, height: 4875 };
  expect(imageUrl(upright, 480)).toMatch(/_z\.jpg$/);
  expect(imageUrl(upright, 640)).toMatch(/_b\.jpg$/);
});

it('shows the hosts of the policy alone', () => {
  const allowed = imageHosts.map((host) => new RegExp(
    `^${host.replace(/\./g, '\\.').replace('*', '[^/]+')}/`));
  for (const source of sourceNames) {
    for (const width of [200, 640, 1920]) {
      const url = imageUrl(image(source), width);
      expect(allowed.some((host) => host.test(url)), url).toBe(true);
    }
  }
});

it('takes an address it does not know as it is', () => {
  const odd = { source: 'pexels', url: 'x', thumb: 'no address', width: 1, height: 1 };
  expect(imageUrl(odd, 640)).toBe('no address');
  expect(imageUrl({ ...image('pixabay'), source: 'other' }, 640))
    .toBe(image('pixabay').thumb);
});

it('offers a set of widths, each of its own address', () => {
  const set = imageSet(image('wikimedia'))?.split(', ') ?? [];
  expect(set.map((one) => one.split(' ')[1])).toEqual(
    ['320w', '480w', '640w', '1280w', '1920w']);
  expect(imageSet(image('openverse'))).toBeUndefined();
  expect(imageSet({ ...image('rawpixel'), thumb: 'https://a.b/image_400/x, y.jpg' }))
    .not.toMatch(/x, y/);
});

/* As /products has them. */
const goods = {
  amazon: 'https://m.media-amazon.com/images/I/71x%2B-aQL._AC_UL1500_.jpg',
  flipkart: 'https://rukminim2.flixcart.com/image/128/128/xif0q/sofa-original.jpeg?q=70',
  pepperfry: 'https://ii1.pepperfry.com/media/catalog/product/b/e/800x880/belora-1009292-0.jpg',
  urbanladder: 'https://cdn.swadeshonline.com/v2/a/b/free/original/sofa/1004979-0.jpg',
  ikea: 'https://www.ikea.com/in/en/images/products/sofa__10077316_pe127386_s4.jpg',
};

describe('a width is asked of the CDN of the shop', () => {
  for (const [retailer, want] of [
    ['amazon', /\/I\/71x%2B-aQL\._AC_UL480_\.jpg$/],
    ['flipkart', /\/image\/480\/480\/xif0q\/sofa-original\.jpeg\?q=70$/],
    ['pepperfry', /\/b\/e\/494x544\/belora-1009292-0\.jpg$/],
    ['urbanladder', /\/free\/resize-w:480\/sofa\/1004979-0\.jpg$/],
    ['ikea', /_s4\.jpg$/],
  ] as const) {
    it(retailer, () => {
      expect(goodUrl({ retailer, image: goods[retailer] }, 480)).toMatch(want);
    });
  }

  it('in whatever form its address is', () => {
    const at = (retailer: string, image: string, width = 640) => (
      goodUrl({ retailer, image }, width));
    for (const form of ['', '._SX522_', '._AC_UL320_', '._AC_UF480,480_QL65_']) {
      expect(at('amazon', `https://m.media-amazon.com/images/I/71x${form}.jpg`))
        .toBe('https://m.media-amazon.com/images/I/71x._AC_UL640_.jpg');
    }
    for (const form of ['original', 'resize-w:960', '450x0']) {
      expect(at('urbanladder', `https://cdn.swadeshonline.com/v2/a/free/${form}/s-0.jpg`))
        .toBe('https://cdn.swadeshonline.com/v2/a/free/resize-w:640/s-0.jpg');
    }
    for (const [width, size] of [[494, '494x544'], [495, '800x880'],
                                 [960, '1600x1760']] as const) {
      expect(at('pepperfry', goods.pepperfry, width)).toContain(`/${size}/`);
    }
  });

  it('and nothing of one nobody knows', () => {
    for (const [retailer, image] of [
      ['urbanladder', 'https://www.ulcdn.net/images/products/1/product/A.jpg'],
      ['amazon', 'https://m.media-amazon.com/images/G/01/x.jpg'],
      ['other', goods.flipkart], ['constructor', goods.flipkart],
    ] as const) {
      expect(goodUrl({ retailer, image }, 480)).toBe(image);
    }
    for (const image of [null, undefined, '', 'javascript:alert(1)']) {
      expect(goodUrl({ retailer: 'amazon', image }, 480)).toBeUndefined();
      expect(goodSet({ retailer: 'amazon', image })).toBeUndefined();
    }
  });

  it('as a set of widths, each of its own address', () => {
    const steps = (retailer: keyof typeof goods) => (
      goodSet({ retailer, image: goods[retailer] })
        ?.split(', ').map((one) => one.split(' ')[1]));
    expect(steps('flipkart')).toEqual(
      ['320w', '480w', '640w', '960w', '1280w']);
    expect(steps('pepperfry')).toEqual(['320w', '640w', '960w']);
    expect(steps('ikea')).toBeUndefined();
  });
});

it("lets in the hosts of all shops' recipes", () => {
  const folder = join(__dirname, '../../conf/retailers');
  for (const file of readdirSync(folder)) {
    const { images } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as
      { images: { hosts?: string[] } };
    for (const host of images.hosts ?? []) {
      expect(imageHosts.some((one) => one.endsWith(`.${host}`)
                             || one === `https://${host}`), host).toBe(true);
    }
  }
});

it('links to the open web alone', () => {
  expect(safeLink('https://www.flickr.com/photos/1')).toBeTruthy();
  for (const bad of ['javascript:alert(1)', 'data:text/html,x', '//x', 'x', '',
                     null, undefined]) {
    expect(safeLink(bad)).toBeUndefined();
  }
});
