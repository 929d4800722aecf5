/** The pages that the palette leads to. */

import { paletteStrings as strings } from '../strings/palette';
import type { Command } from './commands.svelte';
import { router } from './router.svelte';
import { theme, type ThemeSetting } from './theme.svelte';

type PageName = keyof typeof strings.pages;

const PAGES: [PageName, string, keys?: string][] = [
  ['datasets', '/datasets', 'g d'],
  ['newDataset', '/datasets/new'],
  ['runs', '/runs', 'g r'],
  ['workers', '/workers', 'g w'],
  ['account', '/account'],
];
const OF_DATASET: [PageName, string, keys?: string][] = [
  ['overview', ''],
  ['explore', '/explore', 'g e'],
  ['analyze', '/analyze', 'g a'],
  ['tags', '/tags', 'g t'],
  ['select', '/select', 'g s'],
  ['export', '/export', 'g x'],
  ['datasetRuns', '/runs'],
  ['source', '/settings/source'],
  ['metadata', '/settings/metadata'],
  ['predictions', '/settings/predictions'],
  ['sharing', '/settings/sharing'],
];

export function listPages(datasetId: string | null): Command[] {
  const make = ([name, path, keys]: [PageName, string, string?], base = ''): Command => ({
    id: `page ${name}`,
    group: strings.groups.pages,
    label: strings.pages[name],
    keys: keys ? [keys] : undefined,
    run: () => router.go(base + path),
  });
  const own = datasetId ? OF_DATASET.map((page) => make(page, `/datasets/${datasetId}`)) : [];
  return [...own, ...PAGES.map((page) => make(page))];
}

/** What is possible everywhere. */
export function listAppCommands(openSheet: () => void): Command[] {
  const group = strings.groups.app;
  const wear = (setting: ThemeSetting): Command => ({
    id: `theme ${setting}`,
    group,
    label: strings[setting],
    run: () => theme.set(setting),
  });
  return [
    { id: 'sheet', group, label: strings.sheet, keys: ['?'], run: openSheet },
    wear('light'),
    wear('dark'),
    wear('system'),
  ];
}
