/*
 * Designs as the feed keeps them.  Ten thousand of them stay in memory while
 * somebody scrolls, so each is cut down to what is shown, and texts that many
 * share (a license, a source) are there once.
 */

import type { Design, DesignPage } from './api';

const texts = new Map<string, string>();
const MOST = 4000;

function shared(text: string): string;
function shared(text: string | null | undefined): string | null;
function shared(text: string | null | undefined): string | null {
  if (text === null || text === undefined) {
    return null;
  }
  const known = texts.get(text);
  if (known !== undefined) {
    return known;
  }
  if (texts.size >= MOST) {
    texts.clear();
  }
  texts.set(text, text);
  return text;
}

function slim({
  id, source, title, url, thumb, width, height, color, blurhash, author,
  authorUrl, pageUrl, license, attribution, score, likes,
}: Design): Design {
  return {
    id,
    source: shared(source),
    title,
    url,
    thumb,
    width,
    height,
    color,
    ...(blurhash ? { blurhash } : {}),
    author: shared(author),
    authorUrl: shared(authorUrl),
    pageUrl,
    license: shared(license),
    attribution,
    score,
    likes,
  };
}

export function slimPage(page: DesignPage): DesignPage {
  return { ...page, results: page.results.map(slim) };
}

/*
 * The designs of pages in one list, each once.  Pages that were there the last
 * time are not looked at again.
 */
export function joiner(): (pages: DesignPage[]) => Design[] {
  let done: DesignPage[] = [];
  let seen = new Set<string>();
  let all: Design[] = [];

  return (pages) => {
    const same = done.length <= pages.length
      && done.every((page, i) => page === pages[i]);
    if (same && done.length === pages.length) {
      return all;
    }
    if (!same) {
      done = [];
      seen = new Set();
      all = [];
    }
    const more: Design[] = [];
    for (const { results } of pages.slice(done.length)) {
      for (const design of results) {
        if (!seen.has(design.id)) {
          seen.add(design.id);
          more.push(design);
        }
      }
    }
    done = [...pages];
    // A new list, as React goes by that; of the same designs.
    all = all.concat(more);
    return all;
  };
}
