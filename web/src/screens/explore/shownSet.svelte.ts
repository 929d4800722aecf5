/** Which samples match what was asked for, and which cells the grid has, in which order. */

import { Bitset } from '../../lib/bitset';
import type { ExploreView } from '../../lib/exploreUrl';
import { arrange, findPosition } from '../../lib/sampleSets';
import type { Metadata } from './metadata.svelte';
import type { HandPicked } from './picked.svelte';
import type { SampleOrder } from './sampleOrder.svelte';
import type { Stacks } from './stacks.svelte';
import type { TagSets } from './tagSets.svelte';

/** What the sets are made of. */
interface Parts {
  view: () => ExploreView;
  count: () => number;
  metadata: Metadata;
  tagSets: TagSets;
  order: SampleOrder;
  picked: HandPicked;
  stacks: () => Stacks;
}

export class ShownSet {
  /** Points inside the lasso, also where the address means those outside; null without one. */
  inLasso = $state.raw<Bitset | null>(null);

  /** The first picks of the current tag, while they are replayed. */
  replayed: Uint32Array | null = $derived.by(() => {
    const { picks } = this.parts.view();
    return picks === null ? null : (this.parts.tagSets.picks?.subarray(0, picks) ?? null);
  });
  private replayedBits: Bitset | null = $derived.by(() =>
    this.replayed ? Bitset.of(this.parts.count(), this.replayed) : null,
  );
  private tagBits: Bitset | null = $derived.by(() => this.turn('tag', this.parts.tagSets.bits));
  private lassoBits: Bitset | null = $derived.by(() => this.turn('lasso', this.inLasso));
  /** Samples that match tag, filters, lasso and replay; null while that means all of them. */
  matching: Bitset | null = $derived.by(() => {
    let set: Bitset | null = this.parts.metadata.bits ?? this.tagBits;
    for (const part of [this.lassoBits, this.replayedBits]) {
      if (part) set = set ? set.and(part) : part;
    }
    return set;
  });
  matchCount: number = $derived.by(() => this.matching?.count() ?? this.parts.count());
  /** Indices in the order of the grid; null while that is 0, 1, 2, … */
  arranged: Uint32Array | null = $derived.by(() => {
    const { picked, tagSets, order } = this.parts;
    const { compared } = tagSets;
    let set = this.matching;
    if (picked.isAlone) set = picked.bits;
    else if (set && compared) set = set.or(compared);
    const isSorted = order.indices !== null || compared !== null;
    return arrange(set, isSorted ? order.indices : this.replayed);
  });
  /** Likewise; of a stack only the first. */
  cells: Uint32Array | null = $derived.by(() => this.parts.stacks().cells?.shown ?? this.arranged);
  /** Cells of the grid, and the samples that they stand for. */
  cellCount: number = $derived.by(() => this.cells?.length ?? this.parts.count());
  count: number = $derived.by(() => this.arranged?.length ?? this.parts.count());
  /** Changes when somebody asks for other samples, not when the same question finds others. */
  basis: string = $derived.by(() => {
    const { tag, filters, text, not, sort, lasso, compare, like, picks, stack } = this.parts.view();
    const { isAlone } = this.parts.picked;
    const asked = [tag, filters, text, not, sort, lasso, compare, like, picks, stack, isAlone];
    return JSON.stringify(asked);
  });

  constructor(private readonly parts: Parts) {}

  /** Whether a sample is only shown for comparison. */
  isOutside(index: number): boolean {
    const { tagSets, picked } = this.parts;
    return tagSets.compared !== null && !picked.isAlone && !(this.matching?.has(index) ?? true);
  }

  indexAt(position: number): number {
    return this.cells ? this.cells[position] : position;
  }

  positionOf(index: number): number {
    const stacks = this.parts.stacks();
    if (stacks.cells) return stacks.positionOf(index);
    const isGrowing = this.parts.order.indices === null && this.replayed === null;
    return this.cells ? findPosition(this.cells, index, isGrowing) : index;
  }

  private turn(part: 'tag' | 'lasso', bits: Bitset | null): Bitset | null {
    return bits && this.parts.view().not.includes(part) ? bits.not() : bits;
  }
}
