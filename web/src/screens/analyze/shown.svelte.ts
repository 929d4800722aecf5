/** Samples that an analysis shows, for the same plot and grid that the explore page has. */

import type { GridSource, PlotSource } from '../../components/sources';
import { Bitset } from '../../lib/bitset';
import { roundPolygon, type Polygon } from '../../lib/lasso';
import { findPosition } from '../../lib/sampleSets';
import { RecordCache } from '../explore/records.svelte';

interface ShownPoints {
  readonly xs: Float32Array | null;
  readonly ys: Float32Array | null;
  readonly bounds: readonly [number, number, number, number] | null;
}

export class ShownSamples implements PlotSource, GridSource {
  map = $state.raw<ShownPoints>({ xs: null, ys: null, bounds: null });
  matching = $state.raw<Bitset | null>(null);
  /** Drawn in front of all others. */
  selection = $state.raw(new Bitset(0));
  /** Growing indices of a grid; null for a plot alone. */
  visible = $state.raw<Uint32Array | null>(null);
  lasso = $state.raw<Polygon | null>(null);
  size = $state(2);
  color = $state<string | null>(null);
  focus = $state(0);
  isBright = false;
  readonly records: RecordCache;
  view = $derived({ lasso: this.lasso, color: this.color, size: this.size });
  visibleCount = $derived(this.visible?.length ?? 0);
  matchCount = $derived(this.matching?.count() ?? this.map.xs?.length ?? 0);

  /** `onlasso` hears of what was drawn; null when it was taken away. */
  constructor(
    readonly datasetId: string,
    private readonly onlasso: (polygon: Polygon | null) => void = () => {},
  ) {
    this.records = new RecordCache(datasetId);
  }

  indexAt(position: number): number {
    return this.visible?.[position] ?? position;
  }

  positionOf(index: number): number {
    return this.visible ? findPosition(this.visible, index, true) : index;
  }

  setLasso(polygon: Polygon, scale: number): void {
    this.onlasso(roundPolygon(polygon, scale));
  }

  change(): void {
    this.onlasso(null);
  }

  /** Nothing is picked by hand here. */
  toggle(): void {}
  toggleAt(): void {}
  selectRange(): void {}

  isOutside(): boolean {
    return false;
  }

  stop(): void {
    this.records.stop();
  }
}
