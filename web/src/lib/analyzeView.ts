/** What the page of analyses shows, as the query of its address and back. */

import { readFilters, writeFilters, type Filter } from './exploreUrl';
import type { Polygon } from './lasso';
import { encodeQueryText, readNumber } from './urlText';

export const ANALYSES = ['values', 'relation', 'compare'] as const;
export type Analysis = (typeof ANALYSES)[number];
export const PARTS = ['onlyA', 'both', 'onlyB'] as const;
export type Part = (typeof PARTS)[number];

export interface AnalyzeView {
  analysis: Analysis;
  a: string | null;
  b: string | null;
  filters: Filter[];
  x: string | null;
  y: string | null;
  color: string | null;
  /** In the values of both axes. */
  lasso: Polygon | null;
  part: Part;
}

export function readAnalyzeView(query: string): AnalyzeView {
  const given = new URLSearchParams(query);
  return {
    analysis: ANALYSES.find((one) => one === given.get('view')) ?? 'values',
    a: given.get('a'),
    b: given.get('b'),
    filters: readFilters(given.get('f') ?? ''),
    x: given.get('x'),
    y: given.get('y'),
    color: given.get('color'),
    lasso: readCorners(given.get('lasso')),
    part: PARTS.find((one) => one === given.get('part')) ?? 'both',
  };
}

export function writeAnalyzeView(view: AnalyzeView): string {
  const parts: string[] = [];
  const add = (name: string, value: string | null) => {
    if (value) parts.push(`${name}=${encodeQueryText(value)}`);
  };
  if (view.analysis !== 'values') add('view', view.analysis);
  add('a', view.a);
  add('b', view.b);
  add('f', writeFilters(view.filters));
  add('x', view.x);
  add('y', view.y);
  add('color', view.color);
  if (view.lasso) add('lasso', view.lasso.map(([x, y]) => `${x},${y}`).join(';'));
  if (view.part !== 'both') add('part', view.part);
  return parts.join('&');
}

function readCorners(text: string | null): Polygon | null {
  if (!text) return null;
  const corners = text.split(';').map((pair) => pair.split(',').map(readNumber));
  const isWhole = corners.every((pair) => pair.length === 2 && !pair.includes(null));
  return isWhole && corners.length >= 3 ? (corners as unknown as Polygon) : null;
}
