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
import {
  findHiding,
  flipPart,
  withFilter,
  withoutFilters,
  withoutPart,
  withTag,
  type PartCounts,
  type PartName,
} from '../../lib/viewParts';
import { Address } from './address';
import { makeQuestion, nameFilters } from './filters';
import { Metadata, type Question } from './metadata.svelte';
import { HandPicked, type PickedStack } from './picked.svelte';
import { RecordCache } from './records.svelte';
import { SampleMap, type Method } from './sampleMap.svelte';
import { SampleOrder } from './sampleOrder.svelte';
import { SavedViews } from './savedViews.svelte';
import { ShownSet } from './shownSet.svelte';
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

  focus = $state(0);
  readonly picked: HandPicked;
  readonly shown: ShownSet;
  readonly records: RecordCache;
  readonly metadata: Metadata;
  readonly map: SampleMap;
  readonly tagSets: TagSets;
  readonly order: SampleOrder;
  readonly views: SavedViews;
  readonly stacks: Stacks;
  private readonly address: Address;

  private readonly undoStack = new UndoStack<Snapshot>();
  private readonly leaving = new AbortController();

  isFiltered: boolean = $derived(
    this.view.filters.length > 0 || this.view.text !== '' || this.view.lasso !== null,
  );

  /** The part of the question that hides the most, and what would be found without it. */
  hiding: [PartName, PartCounts] | null = $derived.by(() =>
    findHiding(this.metadata.counts, this.matchCount),
  );

  constructor(
    readonly datasetId: string,
    private readonly query: string,
  ) {
    const { signal } = this.leaving;
    const view = () => this.view;
    this.records = new RecordCache(datasetId);
    this.metadata = new Metadata(datasetId, signal);
    const count = () => this.count;
    this.map = new SampleMap(datasetId, view, count, signal, () => this.seePoints());
    this.tagSets = new TagSets(datasetId, view, count, signal);
    this.order = new SampleOrder(datasetId, signal);
    this.views = new SavedViews(datasetId, signal);
    const stacks = () => this.stacks;
    this.picked = new HandPicked({
      count,
      stacks,
      matching: () => this.shown.matching,
      indexAt: (position) => this.shown.indexAt(position),
      remember: () => this.remember(),
      keepOnly: (only) => this.change({ only }, { isQuiet: true }),
    });
    const { metadata, tagSets, order, picked } = this;
    this.shown = new ShownSet({ view, count, metadata, tagSets, order, picked, stacks });
    const arranged = () => this.shown.arranged;
    const choose = (stack: string | null) => this.change({ stack });
    this.stacks = new Stacks(datasetId, { view, arranged, count, choose }, signal);
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

  /** What the grid and the map ask of their samples. */
  get selection(): Bitset {
    return this.picked.bits;
  }

  get matching(): Bitset | null {
    return this.shown.matching;
  }

  get matchCount(): number {
    return this.shown.matchCount;
  }

  get visible(): Uint32Array | null {
    return this.shown.cells;
  }

  get visibleCount(): number {
    return this.shown.cellCount;
  }

  get basis(): string {
    return this.shown.basis;
  }

  isOutside(index: number): boolean {
    return this.shown.isOutside(index);
  }

  indexAt(position: number): number {
    return this.shown.indexAt(position);
  }

  positionOf(index: number): number {
    return this.shown.positionOf(index);
  }

  toggle(index: number): void {
    this.picked.toggle(index);
  }

  toggleAt(position: number): void {
    this.picked.toggleAt(position);
  }

  selectRange(from: number, to: number): void {
    this.picked.selectRange(from, to);
  }

  stackAt(position: number): PickedStack | null {
    return this.picked.stackAt(position);
  }

  openStack(position: number): void {
    this.focus = this.stacks.toggleAt(position);
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
      this.picked.restore(new Bitset(this.count));
      this.picked.read(this.view.only);
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
      this.picked.restore(this.selection);
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
    return this.picked.size === 0 || !(this.isFiltered || sort !== null || like.length > 0);
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

  /** A lasso has a meaning only where its points are. */
  private seePoints(): void {
    this.applyLasso();
    if (this.view.lasso && this.metadata.columns.length) void this.runQuery();
  }

  private applyLasso(): void {
    const { lasso } = this.view;
    const { xs, ys } = this.map;
    this.shown.inLasso = lasso && xs && ys ? findInside(xs, ys, lasso) : null;
  }

  private get question(): Question {
    return makeQuestion(this.view, this.map, this.tagSets.currentId);
  }

  private runQuery(): Promise<void> {
    return this.metadata.ask(this.question);
  }

  private async compare(): Promise<void> {
    try {
      await this.tagSets.compare(this.question.filters);
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

  /** Notes how things are, so that undo goes back to here. */
  remember(): void {
    this.undoStack.push({ view: this.view, selection: this.selection });
  }

  /**
   * Changes what is shown.
   *
   * What is dragged is one step back, however often it changes on the way.
   */
  change(
    part: Partial<ExploreView>,
    { isDragging = false, isQuiet = false }: { isDragging?: boolean; isQuiet?: boolean } = {},
  ): void {
    const before = this.view;
    if (!isDragging && !isQuiet) this.remember();
    this.view = { ...before, ...part };
    this.react(before);
    this.writeUrl(isQuiet, isDragging);
  }

  private react(before: ExploreView): void {
    const { view } = this;
    const isOther = (...names: (keyof ExploreView)[]) =>
      names.some((name) => view[name] !== before[name]);
    if (isOther('tag')) void this.tagSets.loadCurrent();
    if (isOther('lasso')) this.applyLasso();
    if (isOther('stack')) void this.stacks.load();
    if (isOther('filters', 'text', 'tag', 'lasso', 'not')) {
      this.focus = 0;
      const isFiltered = view.filters.length > 0 || view.text !== '';
      this.metadata.forget({ name: nameFilters(view) }, isFiltered);
      void this.runQuery();
    }
    if (isOther('filters', 'text', 'tag', 'lasso', 'not', 'compare')) void this.compare();
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
    if (this.view.only !== before.only) this.picked.read(this.view.only);
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
    this.change({ filters: withFilter(this.view, filter, key) }, { isDragging });
  }

  /** Takes a part of the question away. */
  dropPart(name: PartName): void {
    this.change(withoutPart(this.view, name));
  }

  clearFilters(): void {
    this.change(withoutFilters(this.view));
  }

  /** Asks for all others instead. */
  flipPart(name: PartName): void {
    this.change(flipPart(this.view, name));
  }

  /** Chooses a tag; what was shown of another one goes. */
  chooseTag(tag: TagSummary | null): void {
    const id = tag && tag.id !== this.tagSets.initial?.id ? tag.id : null;
    this.change(withTag(this.view, id));
  }

  showAll(): void {
    this.change({ ...withoutFilters(this.view), ...withTag(this.view, null), not: [] });
  }

  /** Puts those first that are most like some samples. */
  async findSimilar(indices: readonly number[]): Promise<void> {
    const found = await this.records.findAll(indices.slice(0, MAX_EXAMPLES));
    const like = found.flatMap((record) => (record ? [record.id] : []));
    if (like.length) this.change({ like });
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
    const { selection } = this;
    this.picked.select(mode === 'add' ? selection.or(inside) : selection.andNot(inside));
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
    this.picked.restore(snapshot.selection, snapshot.view.only !== null);
    this.react(before);
    this.writeUrl(true);
  }

  /** Shows a tag as it is now, after its samples have changed. */
  async reloadTag(tagId: string): Promise<void> {
    if (tagId === this.tagSets.currentId) await this.runQuery();
    if (tagId === this.view.compare) await this.compare();
  }
}
