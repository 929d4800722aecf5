/** What the explore page shows, as the query of its address and back. */

import type { Polygon } from './lasso';
import { encodeQueryText, escapeSigns, unescapeSigns } from './urlText';

export type Filter =
  | { kind: 'range'; key: string; min: number | null; max: number | null; isNegated: boolean }
  | { kind: 'values'; key: string; values: string[]; isNegated: boolean };

/** What can be turned round beside filters: the tag, the search for names, the lasso. */
export const NEGATABLE = ['tag', 'name', 'lasso'] as const;
export type Negatable = (typeof NEGATABLE)[number];

export type Layout = 'grid' | 'split' | 'plot';
export const SIZES = [72, 96, 128, 168, 220, 300] as const;

export interface ExploreView {
  tag: string | null;
  filters: Filter[];
  text: string;
  /** Of these, all other samples are meant. */
  not: readonly Negatable[];
  sort: { key: string | null; descending: boolean } | null;
  size: number;
  layout: Layout;
  embedding: string | null;
  projection: string | null;
  color: string | null;
  lasso: Polygon | null;
  /** Another tag whose samples are shown too, dimmed. */
  compare: string | null;
  /** Ids of samples; those most like them come first. */
  like: string[];
  /** The selection, as `encodeRuns` writes it, while only that is shown. */
  only: string | null;
  /** So many of the first picks of the tag. */
  picks: number | null;
  /** Id of groups of near-duplicates that are shown as stacks. */
  stack: string | null;
}

/** Addresses that are longer, or hold a lasso, are kept by the server under a short link. */
const MAX_QUERY_CHARACTERS = 1_500;
const MAX_LIKE = 100;
const ID = /^[a-f0-9]{24}$/;

export function needsShortLink(view: ExploreView): boolean {
  return view.lasso !== null || writeView(view).length > MAX_QUERY_CHARACTERS;
}

/** The id of the saved view that a query stands for, or null. */
export function readViewId(query: string): string | null {
  const id = new URLSearchParams(query).get('v');
  return id && ID.test(id) ? id : null;
}

export const DEFAULT_VIEW: ExploreView = {
  tag: null,
  filters: [],
  text: '',
  not: [],
  sort: null,
  size: 2,
  layout: 'split',
  embedding: null,
  projection: null,
  color: null,
  lasso: null,
  compare: null,
  like: [],
  only: null,
  picks: null,
  stack: null,
};

export function readView(query: string): ExploreView {
  const given = new URLSearchParams(query);
  const layout = given.get('layout');
  const size = Number(given.get('size') ?? DEFAULT_VIEW.size);
  return {
    tag: given.get('tag'),
    filters: readFilters(given.get('f') ?? ''),
    text: given.get('q') ?? '',
    not: NEGATABLE.filter((part) => (given.get('not') ?? '').split(',').includes(part)),
    sort: readSort(given.get('sort')),
    size: Number.isInteger(size) && size >= 0 && size < SIZES.length ? size : DEFAULT_VIEW.size,
    layout: layout === 'grid' || layout === 'plot' ? layout : 'split',
    embedding: given.get('emb'),
    projection: given.get('proj'),
    color: given.get('color'),
    lasso: readPolygon(given.get('lasso')),
    compare: given.get('cmp'),
    like: readIds(given.get('like')),
    only: given.get('only'),
    picks: readCount(given.get('picks')),
    stack: readIds(given.get('stack'))[0] ?? null,
  };
}

/** The query without its question mark; what is as usual is left out. */
export function writeView(view: ExploreView): string {
  const parts: string[] = [];
  const add = (name: string, value: string | null) => {
    if (value) parts.push(`${name}=${encodeQueryText(value)}`);
  };
  add('tag', view.tag);
  add('f', writeFilters(view.filters));
  add('q', view.text);
  add('not', NEGATABLE.filter((part) => view.not.includes(part)).join(','));
  if (view.sort) add('sort', `${view.sort.descending ? '-' : ''}${view.sort.key ?? 'name:'}`);
  if (view.size !== DEFAULT_VIEW.size) add('size', String(view.size));
  if (view.layout !== DEFAULT_VIEW.layout) add('layout', view.layout);
  add('emb', view.embedding);
  add('proj', view.projection);
  add('color', view.color);
  add('cmp', view.compare);
  add('like', view.like.join(','));
  if (view.picks !== null) add('picks', String(view.picks));
  add('stack', view.stack);
  add('only', view.only);
  if (view.lasso) add('lasso', view.lasso.map(([x, y]) => `${x},${y}`).join(';'));
  return parts.join('&');
}

// Keys and values may hold any sign: those with a meaning here are escaped once more.
const escape = (text: string) => escapeSigns(text, /[%~:,!=]/g);

const RANGE = /^(-?[\d.e+-]*?)\.\.(-?[\d.e+-]*)$/i;

export function writeFilters(filters: readonly Filter[]): string {
  return filters
    .map((filter) => {
      const head = `${filter.isNegated ? '!' : ''}${escape(filter.key)}:`;
      if (filter.kind === 'range') return `${head}${filter.min ?? ''}..${filter.max ?? ''}`;
      const list = filter.values.map(escape).join(',');
      // What looks like a range, or like nothing, says that it is a list.
      return `${head}${list === '' || RANGE.test(list) ? '=' : ''}${list}`;
    })
    .join('~');
}

export function readFilters(text: string): Filter[] {
  const filters: Filter[] = [];
  for (const part of text.split('~')) {
    const colon = part.indexOf(':');
    if (colon < 1) continue;
    const isNegated = part.startsWith('!');
    const key = unescapeSigns(part.slice(isNegated ? 1 : 0, colon));
    const rest = part.slice(colon + 1);
    const range = RANGE.exec(rest);
    if (rest && !range) {
      const values = rest.replace(/^=/, '').split(',').map(unescape);
      filters.push({ kind: 'values', key, values, isNegated });
      continue;
    }
    const [min, max] = [readNumber(range?.[1]), readNumber(range?.[2])];
    if (range && (min !== null || max !== null)) {
      filters.push({ kind: 'range', key, min, max, isNegated });
    }
  }
  return filters;
}

function readNumber(text: string | undefined): number | null {
  if (!text) return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

function readIds(text: string | null): string[] {
  return (text ?? '')
    .split(',')
    .filter((id) => ID.test(id))
    .slice(0, MAX_LIKE);
}

function readCount(text: string | null): number | null {
  return text && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

function readSort(text: string | null): ExploreView['sort'] {
  if (!text) return null;
  const descending = text.startsWith('-');
  const key = descending ? text.slice(1) : text;
  return { key: key === 'name:' ? null : key, descending };
}

function readPolygon(text: string | null): Polygon | null {
  if (!text) return null;
  const points = text.split(';').map((pair) => pair.split(',').map(Number));
  const isWhole = points.every((point) => point.length === 2 && point.every(Number.isFinite));
  return isWhole && points.length >= 3 ? (points as unknown as Polygon) : null;
}

/** What a search text means: between slashes it is a regular expression. */
export function readSearch(text: string): {
  text: string;
  isRegex: boolean;
  isCaseSensitive: boolean;
} {
  const match = /^\/(.+)\/(i?)$/.exec(text);
  if (match) return { text: match[1], isRegex: true, isCaseSensitive: match[2] !== 'i' };
  return { text, isRegex: false, isCaseSensitive: false };
}
