'use client';

import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { Design } from '../lib/api';
import { imageSet, imageUrl } from '../lib/sources';
import styles from './Photo.module.css';

/**
 * A photograph of a source over its colour, or over its blurhash.  One that is
 * not due, as its card may only fly past, is its colour and asks for nothing.
 */
export function Photo({
  design, sizes, eager = false, contain = false, due = true,
}: {
  design: Design;
  sizes: string;
  eager?: boolean;
  contain?: boolean;
  due?: boolean;
}) {
  const [loaded, setLoaded] = useState(false);
  const [broken, setBroken] = useState(false);
  const blur = useRef<HTMLCanvasElement>(null);
  const { blurhash } = design;

  const attach = useCallback((img: HTMLImageElement | null) => {
    if (img?.complete && img.naturalWidth > 0) {
      setLoaded(true);
    }
    // A picture that left the page while it was coming would hold up those
    // that are on it, and the page's own scripts: the browser goes on with it.
    return () => {
      if (img && !img.complete) {
        img.removeAttribute('srcset');
        img.removeAttribute('src');
      }
    };
  }, []);

  const set = useMemo(() => (due ? imageSet(design) : undefined),
                      [design, due]);
  const src = useMemo(() => imageUrl(design, 640), [design]);
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
          data-loaded={loaded || undefined}
          onLoad={() => { setLoaded(true); }}
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
