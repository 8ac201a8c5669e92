/*
 * A blurhash as a tiny picture: the colours of its corners and its middle,
 * as CSS would not, with no library.  https://blurha.sh has the format.
 */

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  + '#$%*+,-.:;=?@[]^_{|}~';

function number(text: string): number {
  let value = 0;
  for (const c of text) {
    const digit = DIGITS.indexOf(c);
    if (digit < 0) {
      throw new RangeError('no blurhash');
    }
    value = value * 83 + digit;
  }
  return value;
}

function linear(byte: number): number {
  const v = byte / 255;
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
}

function byte(value: number): number {
  const v = Math.max(0, Math.min(1, value));
  return Math.round((v <= 0.0031308
    ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055) * 255);
}

function signedSquare(value: number): number {
  return Math.sign(value) * value * value;
}

const BLACK: [number, number, number] = [0, 0, 0];

/* Of each of n components, at each of size places. */
function cosines(n: number, size: number): Float64Array {
  return Float64Array.from({ length: n * size }, (_, i) => (
    Math.cos(Math.PI * (i % size) * Math.floor(i / size) / size)));
}

/** RGBA rows, or nothing for what is no blurhash. */
export function decode(hash: string, width: number, height: number):
Uint8ClampedArray<ArrayBuffer> | undefined {
  try {
    const size = number(hash[0] ?? '');
    const nx = size % 9 + 1;
    const ny = Math.floor(size / 9) + 1;
    if (hash.length !== 4 + 2 * nx * ny) {
      return undefined;
    }
    const most = (number(hash[1] ?? '') + 1) / 166;
    const colors: [number, number, number][] = [];
    const dc = number(hash.slice(2, 6));
    colors.push([linear(dc >> 16), linear((dc >> 8) & 255), linear(dc & 255)]);
    for (let i = 1; i < nx * ny; i++) {
      const ac = number(hash.slice(4 + i * 2, 6 + i * 2));
      const part = (v: number) => signedSquare((v - 9) / 9) * most;
      colors.push([part(Math.floor(ac / 361)), part(Math.floor(ac / 19) % 19),
                   part(ac % 19)]);
    }

    const across = cosines(nx, width);
    const down = cosines(ny, height);
    const pixels = new Uint8ClampedArray(width * height * 4);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let r = 0, g = 0, b = 0;
        for (let j = 0; j < ny; j++) {
          for (let i = 0; i < nx; i++) {
            const basis = (across[i * width + x] ?? 0)
              * (down[j * height + y] ?? 0);
            const color = colors[j * nx + i] ?? BLACK;
            r += color[0] * basis;
            g += color[1] * basis;
            b += color[2] * basis;
          }
        }
        const at = 4 * (y * width + x);
        pixels[at] = byte(r);
        pixels[at + 1] = byte(g);
        pixels[at + 2] = byte(b);
        pixels[at + 3] = 255;
      }
    }
    return pixels;
  } catch {
    return undefined;
  }
}
