'use client';

import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { STAY } from '../hooks/useLike';
import type { Design } from '../lib/api';
import { imageFor, imageSet, imageUrl } from '../lib/sources';
import { whenStayed } from '../lib/stay';
import styles from './Photo.module.css';

/**
 * A photograph of a source over its colour, or over its blurhash.  One that
 * passes, as its card may only fly past, is its colour and asks for nothing
 * until somebody stays.
 */
export function Photo({
  design, width, sizes, eager = false, contain = false, passing = false,
}: {
  design: Design;
  /** In pixels of CSS, if it is always that wide; else sizes. */
  width?: number;
  sizes?: string;
  eager?: boolean;
  contain?: boolean;
  passing?: boolean;
}) {
  const [due, setDue] = useState(!passing);
  const [loaded, setLoaded] = useState(false);
  const [broken, setBroken] = useState(false);
  const blur = useRef<HTMLCanvasElement>(null);
  const { blurhash } = design;

  useEffect(() => (due
    ? undefined : whenStayed(STAY, () => { setDue(true); })), [due]);

  const show = useCallback((img: HTMLImageElement) => {
    img.dataset.loaded = '';
    if (blurhash) {
      setLoaded(true);
    }
  }, [blurhash]);
  const attach = useCallback((img: HTMLImageElement | null) => {
    if (img?.complete && img.naturalWidth > 0) {
      show(img);
    }
    // A picture that left the page while it was coming would hold up those
    // that are on it, and the page's own scripts: the browser goes on with it.
    return () => {
      if (img && !img.complete) {
        img.removeAttribute('srcset');
        img.removeAttribute('src');
      }
    };
  }, [show]);

  const [src, set] = useMemo(() => {
    if (!due) {
      return [];
    }
    return width === undefined
      ? [imageUrl(design, 640), imageSet(design)]
      : [imageFor(design, width * Math.min(2, window.devicePixelRatio))];
  }, [design, due, width]);
  const blurred = due && !loaded ? blurhash : undefined;

  // The page does without until it has come; and without it for good.
  useEffect(() => {
    if (blurred) {
      void import('../lib/blurhash').then(({ decode }) => {
        const pixels = decode(blurred, 20, 16);
        if (pixels) {
          blur.current?.getContext('2d')
            ?.putImageData(new ImageData(pixels, 20, 16), 0, 0);
        }
      }, () => {});
    }
  }, [blurred]);

  return (
    <span
      className={styles.photo}
      data-contain={contain || undefined}
      style={design.color && !contain
        ? { backgroundColor: design.color } : undefined}
    >
      {blurred
        ? <canvas ref={blur} width={20} height={16} aria-hidden /> : null}
      {broken ? <span className={styles.broken}>The picture is gone</span> : null}
      {due && !broken ? (
        // next/image would ask one optimiser; these are asked of their own CDN.
        // eslint-disable-next-line @next/next/no-img-element
        <img
          ref={attach}
          onLoad={(event) => { show(event.currentTarget); }}
          onError={() => { setBroken(true); }}
          alt={design.title ?? ''}
          width={design.width ?? undefined}
          height={design.height ?? undefined}
          sizes={sizes}
          srcSet={set}
          src={src}
          loading={eager ? 'eager' : 'lazy'}
          fetchPriority={eager ? 'high' : 'low'}
          decoding="async"
          referrerPolicy="strict-origin-when-cross-origin"
        />
      ) : null}
    </span>
  );
}
