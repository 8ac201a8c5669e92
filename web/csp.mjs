/*
 * Writes csp.conf beside the exported pages: what nginx puts into the
 * Content-Security-Policy of each.  Next's pages have inline scripts, which
 * are let in by their hashes and by nothing else, so one that somebody slips
 * in does not run.  A style attribute would be refused by the policy: that
 * fails the build here, rather than the page there.
 *
 *     node csp.mjs FOLDER FILE
 */

import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import ts from 'typescript';

const [folder, file] = process.argv.slice(2);

function hash(text) {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

async function pages(dir) {
  const found = [];
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) {
      found.push(...await pages(path));
    } else if (entry.name.endsWith('.html')) {
      found.push(path);
    }
  }
  return found.sort();
}

/* sonner brings its style sheet as a string of its script. */
async function styles() {
  const text = await readFile('node_modules/sonner/dist/index.mjs', 'utf8');
  const found = [...text.matchAll(/__insertCSS\(("(?:[^"\\]|\\.)*")\)/g)]
    .map(([, literal]) => hash(JSON.parse(literal)));
  if (found.length === 0) {
    throw new Error('no style sheet was found in sonner: look at csp.mjs');
  }
  // An element is empty for a moment before it has its text.
  return [...found, hash('')];
}

async function hosts() {
  const source = await readFile('lib/sources.ts', 'utf8');
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { module: 'ESNext', target: 'ES2022' },
  });
  const { imageHosts } = await import(
    `data:text/javascript,${encodeURIComponent(outputText)}`);
  return imageHosts;
}

const scripts = [];
for (const page of await pages(folder)) {
  const html = await readFile(page, 'utf8');
  const bad = html.match(/<[a-z][^>]*\s(?:style|on[a-z]+)="[^>]*>/i);
  if (bad) {
    throw new Error(`${page} has what its policy refuses: ${bad[0]}`);
  }
  const hashes = [...html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([^]*?)<\/script>/g)]
    .map(([, text]) => hash(text));
  scripts.push(`    /${relative(folder, page)} "${
    [...new Set(hashes)].join(' ')}";`);
}

await writeFile(file, `# Written by make web, for the pages it has made: the hashes of their inline
# scripts and of the style sheet of the toasts, and whose pictures they show.

map $uri $atelier_page_scripts {
    default "";
${scripts.join('\n')}
}

map "" $atelier_page_styles {
    default "${(await styles()).join(' ')}";
}

map "" $atelier_page_images {
    default "${(await hosts()).join(' ')}";
}
`);
