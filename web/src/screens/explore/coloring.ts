/** Codes and colours of the points of the map. */

import {
  fetchMetadataColumn,
  fetchTagBits,
  type ColumnInfo,
  type TagSummary,
} from '../../api/columns';
import { Bitset } from '../../lib/bitset';
import { formatNumber } from '../../lib/format';
import { INITIAL_TAG } from '../../lib/tagTree';
import type { Column } from '../../lib/columnFormat';
import {
  CATEGORY_COLORS,
  makePalette,
  MAX_CLASSES,
  OTHER_COLOR,
  parseHex,
  type Rgb,
} from '../../lib/palette';

/** Codes of numbers end here; the last one of all stands for no value. */
const MAX_NUMBER_CODE = 253;

export interface LegendEntry {
  name: string;
  color: string;
  /** The values that this entry stands for; several for "other". */
  values: string[];
}

export interface Coloring {
  codes: Uint8Array;
  palette: Uint8Array;
  legend:
    | { kind: 'none' }
    | { kind: 'category'; key: string; entries: LegendEntry[] }
    | { kind: 'tags'; entries: LegendEntry[] }
    | { kind: 'number'; key: string; min: number; max: number };
}

export interface ThemeColors {
  plain: Rgb;
  missing: Rgb;
}

export interface ColorChoice {
  /** `tags`, `m:` with a key, or null for one colour. */
  color: string | null;
  revision: number;
  tags: readonly TagSummary[];
  count: number;
}

/** Fetches what the chosen colours need. */
export async function loadColoring(
  datasetId: string,
  { color, revision, tags, count }: ColorChoice,
  colors: ThemeColors,
  signal: AbortSignal,
): Promise<Coloring> {
  if (color?.startsWith('m:')) {
    const column = await fetchMetadataColumn(datasetId, color.slice(2), revision, signal);
    return colorByColumn(column, colors);
  }
  if (color !== 'tags') return colorPlain(count, colors);
  const chosen = tags.filter((tag) => tag.name !== INITIAL_TAG).slice(-MAX_CLASSES);
  const bits = await Promise.all(
    chosen.map(async (tag) => {
      const column = await fetchTagBits(datasetId, tag.id, signal);
      return { name: tag.name, bits: new Bitset(count, column.values as Uint8Array) };
    }),
  );
  return colorByTags(count, bits, colors);
}

export function colorPlain(count: number, colors: ThemeColors): Coloring {
  const palette = makePalette('plain', colors.plain, colors.missing);
  return { codes: new Uint8Array(count), palette, legend: { kind: 'none' } };
}

export function colorByColumn(column: Column<ColumnInfo>, colors: ThemeColors): Coloring {
  const info = column.tail;
  const codes = new Uint8Array(column.count);
  if (info.kind === 'number') {
    const min = info.min ?? 0;
    const max = info.max ?? 1;
    const scale = max > min ? MAX_NUMBER_CODE / (max - min) : 0;
    const values = column.values;
    for (let index = 0; index < codes.length; index++) {
      const value = values[index];
      codes[index] = Number.isNaN(value) ? 255 : (value - min) * scale;
    }
    const palette = makePalette('number', colors.plain, colors.missing);
    return { codes, palette, legend: { kind: 'number', key: info.key, min, max } };
  }
  const missing = column.kind === 'u8' ? 255 : 65535;
  const values = column.values;
  for (let index = 0; index < codes.length; index++) {
    const code = values[index];
    codes[index] = code === missing ? 255 : Math.min(code, MAX_CLASSES);
  }
  const names = (info.categories ?? []).map((category) => category.name);
  const entries: LegendEntry[] = names
    .slice(0, MAX_CLASSES)
    .map((name, code) => ({ name, color: CATEGORY_COLORS[code], values: [name] }));
  const rest = names.slice(MAX_CLASSES);
  if (rest.length)
    entries.push({ name: `${rest.length} others`, color: OTHER_COLOR, values: rest });
  const palette = makePalette('category', colors.plain, colors.missing);
  return { codes, palette, legend: { kind: 'category', key: info.key, entries } };
}

/** Colours each sample by the smallest of some tags that it is in; the others stay plain. */
export function colorByTags(
  count: number,
  tags: readonly { name: string; bits: Bitset }[],
  colors: ThemeColors,
): Coloring {
  const codes = new Uint8Array(count).fill(255);
  const ordered = tags
    .map((tag, place) => ({ ...tag, place, size: tag.bits.count() }))
    .sort((a, b) => b.size - a.size);
  for (const { bits, place } of ordered) {
    for (const index of bits.toIndices()) if (index < count) codes[index] = place;
  }
  const entries = tags.map(({ name }, place) => ({
    name,
    color: CATEGORY_COLORS[place % MAX_CLASSES],
    values: [name],
  }));
  const palette = makePalette('category', colors.plain, colors.missing);
  return { codes, palette, legend: { kind: 'tags', entries } };
}

/** What the colour of a point says, in words. */
export function describePoint({ codes, legend }: Coloring, index: number): string {
  const code = codes[index];
  if (legend.kind === 'none' || code === undefined || code === 255) return '–';
  if (legend.kind === 'number') {
    const value = legend.min + (code / MAX_NUMBER_CODE) * (legend.max - legend.min);
    return `≈ ${formatNumber(value)}`;
  }
  return legend.entries[Math.min(code, legend.entries.length - 1)]?.name ?? '–';
}

export function readThemeColors(element: Element): ThemeColors & { background: Rgb; rest: Rgb } {
  const style = getComputedStyle(element);
  const read = (name: string) => parseHex(style.getPropertyValue(name).trim());
  return {
    plain: read('--accent'),
    missing: read('--border-strong'),
    background: read('--plot-bg'),
    rest: read('--plot-rest'),
  };
}
