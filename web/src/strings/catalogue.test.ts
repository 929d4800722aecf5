import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'svelte/compiler';
import { expect, it } from 'vitest';

const SOURCES = join(process.cwd(), 'src');
/** Attributes that people read or hear. */
const SPOKEN = [
  'aria-label',
  'aria-roledescription',
  'alt',
  'label',
  'lead',
  'placeholder',
  'title',
];
/** Names and code, the same in every language. */
const UNTRANSLATED = /^(Lightly|PCA|UMAP|JSON|kB|Ctrl)$/;

interface Node {
  type?: string;
  name?: string;
  data?: string;
  value?: unknown;
}

function* findTexts(node: unknown, isSpoken = true): Generator<string> {
  if (Array.isArray(node)) {
    for (const one of node) yield* findTexts(one, isSpoken);
    return;
  }
  if (node === null || typeof node !== 'object') return;
  const { type, name, data } = node as Node;
  if (type === 'Text' && isSpoken && /[a-z]{2}/i.test(data ?? '')) yield data!.trim();
  for (const [key, inner] of Object.entries(node)) {
    if (key === 'parent') continue;
    const isPlain = type === 'StyleDirective' || (type === 'Attribute' && !SPOKEN.includes(name!));
    yield* findTexts(inner, isSpoken && !isPlain);
  }
}

it('has every text of the markup', () => {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' });
  const found = files
    .filter((file) => file.endsWith('.svelte'))
    .flatMap((file) => {
      const { fragment } = parse(readFileSync(join(SOURCES, file), 'utf8'), { modern: true });
      return [...findTexts(fragment)]
        .filter((text) => !UNTRANSLATED.test(text))
        .map((text) => `${file}: ${text}`);
    });

  expect(found).toEqual([]);
});
