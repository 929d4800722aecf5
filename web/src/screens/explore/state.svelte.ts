/** What the explore page is about: a set of samples, how it came about, and what is picked by hand. */

import { v1 } from '../../api/client';
import type { TagSummary } from '../../api/columns';
import { Bitset } from '../../lib/bitset';
import {
  DEFAULT_VIEW,
  readView,
  writeView,
  type ExploreView,
  type Filter,
} from '../../lib/exploreUrl';
import { UndoStack } from '../../lib/history';
import { findInside, roundPolygon, type Polygon } from '../../lib/lasso';
import { router } from '../../lib/router.svelte';
import { arrange, findPosition } from '../../lib/sampleSets';
import { decodeRuns, encodeRuns } from '../../lib/selectionCode';
import { Address } from './address';
import { makeFilters, nameFilters } from './filters';
import { Metadata } from './metadata.svelte';
import { RecordCache } from './records.svelte';
import { SampleMap, type Method } from './sampleMap.svelte';
import { SampleOrder } from './sampleOrder.svelte';
import { SavedViews } from './savedViews.svelte';
import { Stacks } from './stacks.svelte';
import { TagSets } from './tagSets.svelte';

interface Snapshot {
  view: ExploreView;
  selection: Bitset;
}

/** Samples that others may be compared with at once. */
export const MAX_EXAMPLES = 100;

export class ExploreState {
  view = $state.raw<ExploreView>(DEFAULT_VIEW);
  datasetName = $state('');
  count = $state(0);
  isLoaded = $state(false);
  error = $state.raw<Error | null>(null);

  selection = $state.raw<Bitset>(new Bitset(0));
  onlySelected = $state(false);
  focus = $state(0);
  readonly records: RecordCache;
  readonly metadata: Metadata;
  readonly map: SampleMap;
  readonly tagSets: TagSets;
  readonly order: SampleOrder;
  readonly views: SavedViews;
  readonly stacks: Stacks;
  private readonly address: Address;

  private lassoBits = $state.raw<Bitset | null>(null);
  private readonly undoStack = new UndoStack<Snapshot>();
  private readonly leaving = new AbortController();

  /** The first picks of the current tag, while they are replayed. */
  replayed: Uint32Array | null = $derived.by(() => {
    const { picks } = this.view;
    return picks === null ? null : (this.tagSets.picks?.subarray(0, picks) ?? null);
  });
  private replayedBits: Bitset | null = $derived(
    this.replayed ? Bitset.of(this.count, this.replayed) : null,
  );
  /** Samples that match tag, filters, lasso and replay; null while that means all of them. */
  matching: Bitset | null = $derived.by(() => {
    let set: Bitset | null = this.metadata.bits ?? this.tagSets.bits;
    for (const part of [this.lassoBits, this.replayedBits]) {
      if (part) set = set ? set.and(part) : part;
    }
    return set;
  });
  matchCount: number = $derived(this.matching ? this.matching.count() : this.count);
  selectedCount: number = $derived(this.selection.count());
  /** Indices in the order of the grid; null while that is 0, 1, 2, … */
  private arranged: Uint32Array | null = $derived.by(() => {
    let set = this.matching;
    const { compared } = this.tagSets;
    if (this.onlySelected) set = this.selection;
    else if (set && compared) set = set.or(compared);
    const isSorted = this.order.indices !== null || compared !== null;
    return arrange(set, isSorted ? this.order.indices : this.replayed);
  });
  /** Likewise; of a stack only the first. */
  visible: Uint32Array | null = $derived.by(() => this.stacks.cells?.shown ?? this.arranged);
  /** Cells of the grid, and the samples that they stand for. */
  visibleCount: number = $derived(this.visible ? this.visible.length : this.count);
  shownCount: number = $derived(this.arranged ? this.arranged.length : this.count);
  /** Changes when somebody asks for other samples, not when the same question finds others. */
  basis: string = $derived.by(() => {
    const { tag, filters, text, sort, lasso, compare, like, picks, stack } = this.view;
    const { onlySelected } = this;
    return JSON.stringify([
      tag,
      filters,
      text,
      sort,
      lasso,
      compare,
      like,
      picks,
      stack,
      onlySelected,
    ]);
  });
  isFiltered: boolean = $derived(
    this.view.filters.length > 0 || this.view.text !== '' || this.view.lasso !== null,
  );

  constructor(
    readonly datasetId: string,
    private readonly query: string,
  ) {
    const { signal } = this.leaving;
    const view = () => this.view;
    this.records = new RecordCache(datasetId);
    this.metadata = new Metadata(datasetId, signal);
    this.map = new SampleMap(datasetId, view, signal, () => this.applyLasso());
    this.tagSets = new TagSets(datasetId, view, () => this.count, signal);
    this.order = new SampleOrder(datasetId, signal);
    this.views = new SavedViews(datasetId, signal);
    this.stacks = new Stacks(
      datasetId,
      {
        view,
        arranged: () => this.arranged,
        count: () => this.count,
        choose: (stack) => this.change({ stack }),
      },
      signal,
    );
    this.address = new Address(`/datasets/${datasetId}/explore`, this.views, view, signal);
    const known = this.address.resolveKnown(query);
    if (known !== undefined) this.view = readView(known);
  }

  get tags(): TagSummary[] {
    return this.tagSets.list;
  }

  get currentTag(): TagSummary | null {
    return this.tagSets.current;
  }

  get canUndo(): boolean {
    return this.undoStack.canUndo;
  }

  /** Whether a sample is only shown for comparison. */
  isOutside(index: number): boolean {
    const { matching, onlySelected } = this;
    return this.tagSets.compared !== null && !onlySelected && !(matching?.has(index) ?? true);
  }

  indexAt(position: number): number {
    return this.visible ? this.visible[position] : position;
  }

  positionOf(index: number): number {
    if (this.stacks.cells) return this.stacks.positionOf(index);
    const isGrowing = this.order.indices === null && this.replayed === null;
    return this.visible ? findPosition(this.visible, index, isGrowing) : index;
  }

  async load(): Promise<void> {
    this.error = null;
    try {
      const params = { path: { datasetId: this.datasetId } };
      const { signal } = this.leaving;
      const [{ data }, query] = await Promise.all([
        v1.GET('/v1/datasets/{datasetId}', { params, signal }),
        this.address.resolve(this.query),
      ]);
      this.datasetName = data!.name;
      this.count = data!.nSamples ?? 0;
      this.view = readView(query);
      this.selection = new Bitset(this.count);
      this.readSelection();
      this.isLoaded = true;
    } catch (error) {
      if (!this.leaving.signal.aborted) this.error = error as Error;
      return;
    }
    this.order.isFirstLoading = this.view.like.length > 0;
    const embeddings = this.map.loadEmbeddings();
    const tags = this.tagSets.load();
    await Promise.allSettled([
      tags,
      this.loadMetadata(tags),
      // Likeness is by an embedding.
      this.view.like.length ? embeddings.finally(() => this.loadOrder()) : this.loadOrder(),
      embeddings,
      this.stacks.load(),
    ]);
    // Which tags there are decides what the address means.
    void this.compare();
  }

  stop(): void {
    this.leaving.abort();
    this.records.stop();
  }

  /**
   * Shows what is new on the server, where that takes nothing out of anybody's hands; else false.
   *
   * A lasso belongs to its map. Filtered or sorted samples would move under what is selected.
   */
  async refresh(): Promise<boolean> {
    if (!this.isLoaded || !this.mayRefresh()) return false;
    const params = { path: { datasetId: this.datasetId } };
    const { signal } = this.leaving;
    const { data } = await v1.GET('/v1/datasets/{datasetId}', { params, signal });
    if (!this.mayRefresh()) return false;
    const count = data!.nSamples ?? 0;
    if (count !== this.count) {
      this.count = count;
      this.selection = new Bitset(count, this.selection.bytes);
    }
    const tags = this.tagSets.load();
    await Promise.allSettled([
      tags,
      this.loadMetadata(tags).then(() => this.loadOrder()),
      this.map.loadEmbeddings(),
      this.stacks.reload(),
    ]);
    return true;
  }

  private mayRefresh(): boolean {
    const { lasso, sort, like } = this.view;
    if (lasso !== null) return false;
    return this.selectedCount === 0 || !(this.isFiltered || sort !== null || like.length > 0);
  }

  /** `tags` comes first: which there are decides what is counted. */
  private async loadMetadata(tags?: Promise<void>): Promise<void> {
    const isThere = await this.metadata.load();
    await tags;
    if (isThere) await this.runQuery();
  }

  /** Asks for a map that there is none of yet, and waits for it. */
  async requestProjection(method: Method): Promise<void> {
    this.view = { ...this.view, embedding: this.map.embedding?.id ?? null, projection: method };
    await this.map.request(method);
    this.writeUrl(true);
  }

  private loadOrder(): Promise<void> {
    const embeddingId = this.map.embedding?.id ?? null;
    return this.order.load(this.view, this.metadata.revision, embeddingId);
  }

  private applyLasso(): void {
    const { lasso } = this.view;
    const { xs, ys } = this.map;
    this.lassoBits = lasso && xs && ys ? findInside(xs, ys, lasso) : null;
  }

  private listFilters() {
    const { embedding, projection } = this.map;
    const map =
      embedding && projection ? { embeddingId: embedding.id, embedding2dId: projection.id } : null;
    return makeFilters(this.view, map);
  }

  private runQuery(): Promise<void> {
    return this.metadata.ask({
      filters: this.listFilters(),
      tagId: this.tagSets.currentId,
      name: nameFilters(this.view),
      hasLasso: this.view.lasso !== null,
    });
  }

  private async compare(): Promise<void> {
    try {
      await this.tagSets.compare(this.listFilters());
    } catch (error) {
      if (!this.leaving.signal.aborted) this.metadata.error = error as Error;
    }
  }

  retry(): void {
    if (!this.isLoaded) void this.load();
    else if (!this.metadata.columns.length) void this.loadMetadata();
    else void this.runQuery();
    if (this.order.error) void this.loadOrder();
  }

  private remember(): void {
    this.undoStack.push({ view: this.view, selection: this.selection });
  }

  /**
   * Changes what is shown.
   *
   * While something is dragged the address is replaced; the end of it is one step back.
   */
  change(
    part: Partial<ExploreView>,
    { isDragging = false, isQuiet = false }: { isDragging?: boolean; isQuiet?: boolean } = {},
  ): void {
    const before = this.view;
    if (!isDragging && !isQuiet) this.remember();
    this.view = { ...before, ...part };
    this.react(before);
    this.writeUrl(isDragging || isQuiet, isDragging);
  }

  private react(before: ExploreView): void {
    const { view } = this;
    const isOther = (...names: (keyof ExploreView)[]) =>
      names.some((name) => view[name] !== before[name]);
    if (isOther('tag')) void this.tagSets.loadCurrent();
    if (isOther('lasso')) this.applyLasso();
    if (isOther('stack')) void this.stacks.load();
    if (isOther('filters', 'text', 'tag', 'lasso')) {
      this.focus = 0;
      const isFiltered = view.filters.length > 0 || view.text !== '';
      this.metadata.forget({ name: nameFilters(view) }, isFiltered);
      void this.runQuery();
    }
    if (isOther('filters', 'text', 'tag', 'lasso', 'compare')) void this.compare();
    if (isOther('sort') || view.like.join() !== before.like.join()) void this.loadOrder();
    if (isOther('embedding', 'projection')) void this.map.loadPoints();
    if (isOther('embedding') && view.like.length) void this.loadOrder();
  }

  /** Follows the address when it changed by itself: back, forward, and links. */
  followUrl(query: string): void {
    const known = this.address.resolveKnown(query);
    if (known === undefined) {
      if (this.isLoaded) void this.followLink(query);
      return;
    }
    const asked = readView(known);
    if (writeView(asked) === writeView(this.view)) return;
    const before = this.view;
    this.view = asked;
    if (this.view.only !== before.only) this.readSelection();
    this.react(before);
  }

  private async followLink(query: string): Promise<void> {
    try {
      await this.address.resolve(query);
      if (router.query === query) this.followUrl(query);
    } catch (error) {
      if (!this.leaving.signal.aborted) this.error = error as Error;
    }
  }

  private writeUrl(isReplaced: boolean, isDragging = false): void {
    this.address.write({ isReplaced, isDragging });
  }

  addressOf(sampleId: string | null): string {
    return this.address.of(this.view, sampleId);
  }

  /** Of all samples in the order of their likeness to one. */
  addressLike(sampleId: string): string {
    return this.address.of({ ...this.view, like: [sampleId] });
  }

  setFilter(filter: Filter | null, key: string, isDragging = false): void {
    const others = this.view.filters.filter((one) => one.key !== key);
    this.change({ filters: filter ? [...others, filter] : others }, { isDragging });
  }

  /** Chooses a tag; what was shown of another one goes. */
  chooseTag(tag: TagSummary | null): void {
    const id = tag && tag.id !== this.tagSets.initial?.id ? tag.id : null;
    this.change({ tag: id, picks: null, compare: id ? this.view.compare : null });
  }

  showAll(): void {
    this.change({ filters: [], text: '', lasso: null, tag: null, picks: null, compare: null });
  }

  /** Puts those first that are most like some samples. */
  async findSimilar(indices: readonly number[]): Promise<void> {
    const found = await this.records.findAll(indices.slice(0, MAX_EXAMPLES));
    const like = found.flatMap((record) => (record ? [record.id] : []));
    if (like.length) this.change({ like });
  }

  /** Notes where a drag began, so that undo goes back to there. */
  beginDrag(): void {
    this.remember();
  }

  setLasso(points: Polygon, scale: number, mode: 'replace' | 'add' | 'subtract'): void {
    const lasso = roundPolygon(points, scale);
    if (mode === 'replace') {
      this.change({ lasso });
      return;
    }
    const { xs, ys } = this.map;
    if (!xs || !ys) return;
    let inside = findInside(xs, ys, lasso);
    if (this.matching) inside = inside.and(this.matching);
    this.select(mode === 'add' ? this.selection.or(inside) : this.selection.andNot(inside));
  }

  select(selection: Bitset): void {
    if (selection.equals(this.selection)) return;
    this.remember();
    this.selection = selection;
    if (this.onlySelected) this.showOnly(!selection.isEmpty());
  }

  /** Shows nothing but the selection, or all that match again. */
  showOnly(isOnly: boolean): void {
    this.onlySelected = isOnly;
    this.change({ only: isOnly ? encodeRuns(this.selection) : null }, { isQuiet: true });
  }

  private readSelection(): void {
    const { only } = this.view;
    this.onlySelected = only !== null;
    if (only !== null) this.selection = decodeRuns(only, this.count);
  }

  /** Selects what a cell stands for, or takes it out: of a stack all samples. */
  toggleAt(position: number): void {
    if (!this.stacks.cells) {
      this.toggle(this.indexAt(position));
      return;
    }
    const members = this.stacks.membersAt(position);
    const next = this.selection.clone();
    const isWhole = members.every((index) => next.has(index));
    for (const index of members) isWhole ? next.delete(index) : next.add(index);
    this.select(next);
  }

  /** The stack that a cell stands for or belongs to; null of a single sample. */
  stackAt(position: number): { size: number; selected: number; isOpen: boolean } | null {
    const size = this.stacks.sizeAt(position);
    if (size < 2) return null;
    let selected = 0;
    for (const index of this.stacks.membersAt(position)) if (this.selection.has(index)) selected++;
    return { size, selected, isOpen: this.stacks.isOpenAt(position) };
  }

  openStack(position: number): void {
    this.focus = this.stacks.toggleAt(position);
  }

  toggle(index: number): void {
    const next = this.selection.clone();
    if (next.has(index)) next.delete(index);
    else next.add(index);
    this.select(next);
  }

  selectRange(from: number, to: number): void {
    const next = this.selection.clone();
    for (let at = Math.min(from, to); at <= Math.max(from, to); at++) {
      if (!this.stacks.cells) next.add(this.indexAt(at));
      else for (const index of this.stacks.membersAt(at)) next.add(index);
    }
    this.select(next);
  }

  selectAll(): void {
    this.select(this.matching ?? Bitset.full(this.count));
  }

  selectNone(): void {
    this.select(new Bitset(this.count));
  }

  invert(): void {
    const all = this.matching ?? Bitset.full(this.count);
    this.select(all.andNot(this.selection));
  }

  undo(): void {
    this.restore(this.undoStack.undo({ view: this.view, selection: this.selection }));
  }

  redo(): void {
    this.restore(this.undoStack.redo({ view: this.view, selection: this.selection }));
  }

  private restore(snapshot: Snapshot | undefined): void {
    if (!snapshot) return;
    const before = this.view;
    this.view = snapshot.view;
    // There may be more samples by now.
    this.selection = new Bitset(this.count, snapshot.selection.bytes);
    this.onlySelected = snapshot.view.only !== null && !snapshot.selection.isEmpty();
    this.react(before);
    this.writeUrl(true);
  }

  /** Makes a tag of what is selected; its parent is the current tag where it fits. */
  async createTag(name: string): Promise<void> {
    const { bits, current, initial } = this.tagSets;
    const isWithin = !bits || this.selection.isSubsetOf(bits);
    const parent = isWithin ? (current ?? initial) : initial;
    if (!parent) throw new Error('The dataset has no initial tag yet.');
    await v1.POST('/v1/datasets/{datasetId}/tags', {
      params: { path: { datasetId: this.datasetId } },
      body: {
        name,
        prevTagId: parent.id,
        bitMaskData: this.selection.toHex(),
        totSize: parent.totSize,
        creator: 'USER_WEBAPP',
      },
    });
    await this.tagSets.load();
  }
}
