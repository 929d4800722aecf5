/** What the plot and the grid need to know of the samples that they show. */

import type { Bitset } from '../lib/bitset';
import type { Polygon } from '../lib/lasso';
import type { SampleRecord } from '../screens/explore/records.svelte';

interface SampleSource {
  readonly datasetId: string;
  readonly selection: Bitset;
  /** The place of the sample that has the focus. */
  focus: number;
  readonly visibleCount: number;
  indexAt(position: number): number;
  toggle(index: number): void;
}

export interface PlotSource extends SampleSource {
  readonly map: {
    readonly xs: Float32Array | null;
    readonly ys: Float32Array | null;
    readonly bounds: readonly [number, number, number, number] | null;
  };
  /** Samples that are not grey; null for all. */
  readonly matching: Bitset | null;
  readonly matchCount: number;
  /** Whether those that are not selected keep their colours. */
  readonly isBright?: boolean;
  readonly view: { readonly lasso: Polygon | null; readonly color: string | null };
  readonly records: {
    get(index: number): SampleRecord | undefined;
    find(index: number): Promise<SampleRecord | undefined>;
  };
  /** Where an index is among the shown ones, -1 if nowhere. */
  positionOf(index: number): number;
  setLasso(polygon: Polygon, scale: number, mode: 'replace' | 'add' | 'subtract'): void;
  change(part: { lasso: null }): void;
}

export interface GridSource extends SampleSource {
  /** Another list is another set of samples; null for all of them in their order. */
  readonly visible: Uint32Array | null;
  readonly view: { readonly size: number };
  readonly records: {
    readonly version: number;
    get(index: number): SampleRecord | undefined;
    want(indices: Iterable<number>): void;
  };
  /** Grids begin at their top when this changes; if left out, with another list. */
  readonly basis?: unknown;
  /** Selects what a cell stands for, or takes it out. */
  toggleAt(position: number): void;
  /** The stack that a cell stands for or belongs to; null of a single sample. */
  stackAt?(position: number): { size: number; selected: number; isOpen: boolean } | null;
  openStack?(position: number): void;
  isOutside(index: number): boolean;
  selectRange(from: number, to: number): void;
}

/** What a cell of the grid shows. */
export interface GridCellData {
  position: number;
  record: SampleRecord | undefined;
  stack: { size: number; selected: number; isOpen: boolean } | null;
  isSelected: boolean;
  left: number;
}

/** Where data lies on the screen, in pixels of the plot. */
export interface PlotFrame {
  width: number;
  height: number;
  toScreen(x: number, y: number): [number, number];
  toData(left: number, top: number): [number, number];
}
