/** The samples that were picked by hand. */

import { Bitset } from '../../lib/bitset';
import { decodeRuns, encodeRuns } from '../../lib/selectionCode';
import type { Stacks } from './stacks.svelte';

/** What picking needs of the page. */
interface PickedPage {
  count: () => number;
  /** What can be picked at once; null for all. */
  matching: () => Bitset | null;
  indexAt: (position: number) => number;
  stacks: () => Stacks;
  /** Notes how things are, for undo. */
  remember: () => void;
  /** Keeps in the address what is shown alone. */
  keepOnly: (code: string | null) => void;
}

/** A stack of the grid, and how many of its samples are selected. */
export interface PickedStack {
  size: number;
  selected: number;
  isOpen: boolean;
}

export class HandPicked {
  bits = $state.raw<Bitset>(new Bitset(0));
  /** Whether nothing else is shown. */
  isAlone = $state(false);
  size: number = $derived(this.bits.count());

  constructor(private readonly page: PickedPage) {}

  select(bits: Bitset): void {
    if (bits.equals(this.bits)) return;
    this.page.remember();
    this.bits = bits;
    if (this.isAlone) this.showOnly(!bits.isEmpty());
  }

  /** Shows nothing but the selection, or all that match again. */
  showOnly(isAlone: boolean): void {
    this.isAlone = isAlone;
    this.page.keepOnly(isAlone ? encodeRuns(this.bits) : null);
  }

  /** Takes over what an address says; null where it says nothing. */
  read(code: string | null): void {
    this.isAlone = code !== null;
    if (code !== null) this.bits = decodeRuns(code, this.page.count());
  }

  /** Takes over what was picked before; there may be more samples by now. */
  restore(bits: Bitset, isAlone = this.isAlone): void {
    this.bits = new Bitset(this.page.count(), bits.bytes);
    this.isAlone = isAlone && !bits.isEmpty();
  }

  toggle(index: number): void {
    const next = this.bits.clone();
    if (next.has(index)) next.delete(index);
    else next.add(index);
    this.select(next);
  }

  /** Selects what a cell stands for, or takes it out: of a stack all samples. */
  toggleAt(position: number): void {
    const stacks = this.page.stacks();
    if (!stacks.cells) {
      this.toggle(this.page.indexAt(position));
      return;
    }
    const members = stacks.membersAt(position);
    const next = this.bits.clone();
    const isWhole = members.every((index) => next.has(index));
    for (const index of members) isWhole ? next.delete(index) : next.add(index);
    this.select(next);
  }

  selectRange(from: number, to: number): void {
    const stacks = this.page.stacks();
    const next = this.bits.clone();
    for (let at = Math.min(from, to); at <= Math.max(from, to); at++) {
      if (!stacks.cells) next.add(this.page.indexAt(at));
      else for (const index of stacks.membersAt(at)) next.add(index);
    }
    this.select(next);
  }

  selectAll(): void {
    this.select(this.all);
  }

  selectNone(): void {
    this.select(new Bitset(this.page.count()));
  }

  invert(): void {
    this.select(this.all.andNot(this.bits));
  }

  /** The stack that a cell stands for or belongs to; null of a single sample. */
  stackAt(position: number): PickedStack | null {
    const stacks = this.page.stacks();
    const size = stacks.sizeAt(position);
    if (size < 2) return null;
    let selected = 0;
    for (const index of stacks.membersAt(position)) if (this.bits.has(index)) selected++;
    return { size, selected, isOpen: stacks.isOpenAt(position) };
  }

  private get all(): Bitset {
    return this.page.matching() ?? Bitset.full(this.page.count());
  }
}
