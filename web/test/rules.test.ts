/* Rules that hold for all files of this folder. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import openapi, { astToString } from 'openapi-typescript';
import { expect, it } from 'vitest';

const root = join(__dirname, '..');

function files(...folders: string[]): string[] {
  return folders.flatMap((folder) => readdirSync(join(root, folder), {
    recursive: true, encoding: 'utf8',
  }).filter((file) => /\.(tsx?|mjs|css)$/.test(file))
    .map((file) => join(root, folder, file)));
}

const ours = files('app', 'components', 'hooks', 'lib');

it('finds the files', () => {
  expect(ours.length).toBeGreaterThan(20);
});

it('sets nothing as HTML: providers, shops and people write our texts', () => {
  for (const file of ours) {
    expect(readFileSync(file, 'utf8'), file).not.toMatch(
      /dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function/);
  }
});

it('names a host in lib/sources.ts alone', () => {
  for (const file of ours.filter((one) => !one.endsWith('lib/sources.ts'))) {
    const text = readFileSync(file, 'utf8').replace(/https:\/\/blurha\.sh/, '');
    expect(text, file).not.toMatch(/https?:\/\/[a-z]/);
  }
});

it('moves by what a style sheet has itself, or by a variable', () => {
  for (const file of ours.filter((one) => one.endsWith('.module.css'))) {
    const text = readFileSync(file, 'utf8');
    for (const [, name] of text.matchAll(/animation(?:-name)?: (?!var\()([\w-]+)/g)) {
      expect(text, file).toContain(`@keyframes ${name} `);
    }
  }
});

it('has a lock file that names no registry', () => {
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  expect(lock).not.toMatch(/"resolved"|registry/);
});

it('has the types of api/openapi.json', async () => {
  const source = JSON.parse(readFileSync(join(root, 'api/openapi.json'), 'utf8'));
  const made = astToString(await openapi(source));
  const there = readFileSync(join(root, 'lib/api-types.ts'), 'utf8')
    .replace(/^\/\*\*[^]*?\*\/\s*/, '');
  expect(there.trim()).toBe(made.trim());
});
