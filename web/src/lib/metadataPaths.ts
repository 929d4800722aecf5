/** Metadata configurations: what values of a dataset could mean. */

import type { components } from '../api/contract';
import type { components as extension } from '../api/extension';

export type ValueType = components['schemas']['ConfigurationValueDataType'];
export type Entry = components['schemas']['ConfigurationEntry'];
type Column = extension['schemas']['ColumnInfo'];

/** The name that people would give to a path. */
export function nameOf(path: string): string {
  const last = path.split('.').at(-1) ?? path;
  const words = last.replaceAll(/[_-]+/g, ' ').trim();
  return words ? words[0].toUpperCase() + words.slice(1) : path;
}

/** What the values of a column most likely mean; `seen` are some of them. */
export function guessType(column: Column, seen: readonly unknown[] = []): ValueType {
  if (column.kind === 'number') {
    const known = [column.min, column.max, ...seen.filter((value) => typeof value === 'number')];
    return known.every(Number.isInteger) ? 'NUMERIC_INT' : 'NUMERIC_FLOAT';
  }
  const names = (column.categories ?? []).map((category) => category.name);
  if (column.kind === 'text' || !names.length) return 'OTHER_STRING';
  const all = (pattern: RegExp) => names.every((name) => pattern.test(name));
  if (all(/^(true|false)$/i)) return 'CATEGORICAL_BOOLEAN';
  if (all(/^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?$/)) return 'CATEGORICAL_DATETIME';
  if (all(/^-?\d+$/)) return 'CATEGORICAL_INT';
  return 'CATEGORICAL_STRING';
}

const DEFAULTS: Record<ValueType, unknown> = {
  NUMERIC_INT: 0,
  NUMERIC_FLOAT: 0,
  CATEGORICAL_STRING: 'unknown',
  CATEGORICAL_INT: 0,
  CATEGORICAL_BOOLEAN: false,
  CATEGORICAL_DATETIME: null,
  CATEGORICAL_TIMESTAMP: 0,
  OTHER_STRING: '',
};

export const defaultOf = (type: ValueType): unknown => DEFAULTS[type];

/** The value at a dotted path of nested objects. */
export function valueAt(metadata: unknown, path: string): unknown {
  let value: unknown = metadata;
  for (const part of path.split('.')) {
    if (value === null || typeof value !== 'object') return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

/** Entries for columns of custom metadata that no entry speaks of yet; `some` is that of samples. */
export function suggestEntries(
  columns: readonly Column[],
  entries: readonly Entry[],
  some: readonly unknown[] = [],
): Entry[] {
  const known = new Set(entries.map((entry) => entry.path));
  return columns
    .filter((column) => !column.key.startsWith('lightly.') && !known.has(column.key))
    .map((column) => {
      const seen = some.map((metadata) => valueAt(metadata, column.key));
      const valueDataType = guessType(column, seen);
      return {
        name: nameOf(column.key),
        path: column.key,
        valueDataType,
        defaultValue: defaultOf(valueDataType) as Entry['defaultValue'],
      };
    });
}

/** What somebody has typed as a default, as JSON where it is. */
export function readDefault(text: string, type: ValueType): unknown {
  if (text === '') return null;
  if (type === 'OTHER_STRING' || type === 'CATEGORICAL_STRING' || type === 'CATEGORICAL_DATETIME')
    return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export const showDefault = (value: unknown): string =>
  value === null || value === undefined
    ? ''
    : typeof value === 'string'
      ? value
      : JSON.stringify(value);

/** Categories of a text: one per line, with or without a number in front. */
export function readCategories(text: string): { id: number; name: string }[] {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  const isNumbered = lines.length > 0 && lines.every((line) => /^\d+\s+\S/.test(line));
  return lines.map((line, place) => {
    const found = isNumbered ? /^(\d+)\s+(.*)$/.exec(line)! : null;
    return found ? { id: Number(found[1]), name: found[2] } : { id: place, name: line };
  });
}
