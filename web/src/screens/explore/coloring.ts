/** Codes and colours of the points of the map. */

import type { ColumnInfo } from '../../api/columns';
import type { Column } from '../../lib/columnFormat';
import {
  CATEGORY_COLORS,
  makePalette,
  MAX_CLASSES,
  OTHER_COLOR,
  parseHex,
  type Rgb,
} from '../../lib/palette';
import type { Bitset } from '../../lib/bitset';

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
    const scale = max > min ? 253 / (max - min) : 0;
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
