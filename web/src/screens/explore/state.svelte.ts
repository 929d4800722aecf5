/** What the explore page is about: a set of samples, how it came about, and what is picked by hand. */

import { ext, v1 } from '../../api/client';
import {
  fetchOrder,
  fetchProjection,
  fetchTagBits,
  queryColumns,
  type ColumnInfo,
  type SampleFilter,
  type TagSummary,
} from '../../api/columns';
import { Bitset } from '../../lib/bitset';
import { UndoStack } from '../../lib/history';
import { findInside, simplify, type Polygon } from '../../lib/lasso';
import {
  DEFAULT_VIEW,
  readSearch,
  readView,
  writeView,
  type ExploreView,
  type Filter,
} from '../../lib/exploreUrl';
import { router } from '../../lib/router.svelte';
import { RecordCache } from './records.svelte';

export interface EmbeddingChoice {
  id: string;
  name: string;
  projections: { id: string; method: string }[];
}

interface Snapshot {
  view: ExploreView;
  selection: Bitset;
}

export const INITIAL_TAG = 'initial-tag';
const POLL_MS = 1_000;
/** More keys than this are counted only when somebody opens them. */
const MAX_HISTOGRAMS = 60;
const LASSO_TOLERANCE_PX = 0.75;
const MAX_LASSO_CORNERS = 120;

export class ExploreState {
  view = $state.raw<ExploreView>(DEFAULT_VIEW);
  datasetName = $state('');
  count = $state(0);
  isLoaded = $state(false);
  error = $state.raw<Error | null>(null);

  columns = $state.raw<ColumnInfo[]>([]);
  collecting = $state.raw<{ done: number; total: number } | null>(null);
  revision = $state(0);
  totals = $state.raw<Record<string, number[]>>({});
  histograms = $state.raw<Record<string, number[]>>({});
  tags = $state.raw<TagSummary[]>([]);
  embeddings = $state.raw<EmbeddingChoice[]>([]);
  /** An embedding has come, or is to come, and is not read yet. */
  isReading = $state(false);
  isBusy = $state(false);
  queryError = $state.raw<Error | null>(null);

  xs = $state.raw<Float32Array | null>(null);
  ys = $state.raw<Float32Array | null>(null);
  bounds = $state.raw<[number, number, number, number] | null>(null);
  plotProgress = $state.raw<{ done: number; total: number } | null>(null);
  plotError = $state.raw<Error | null>(null);

  selection = $state.raw<Bitset>(new Bitset(0));
  onlySelected = $state(false);
  focus = $state(0);
  readonly records: RecordCache;

  private filterBits = $state.raw<Bitset | null>(null);
  private tagBits = $state.raw<Bitset | null>(null);
  private lassoBits = $state.raw<Bitset | null>(null);
  private order = $state.raw<Uint32Array | null>(null);
  private plainBits: { name: string; bits: Bitset } | null = null;
  private readonly undoStack = new UndoStack<Snapshot>();
  private querying: AbortController | null = null;
  private plotting: AbortController | null = null;
  private sorting: AbortController | null = null;
  private readonly leaving = new AbortController();
  private isStopped = false;

  /** Samples that match tag, filters and lasso; null while that means all of them. */
  matching: Bitset | null = $derived.by(() => {
    let set: Bitset | null = this.filterBits ?? this.tagBits;
    if (this.lassoBits) set = set ? set.and(this.lassoBits) : this.lassoBits;
    return set;
  });
  matchCount: number = $derived(this.matching ? this.matching.count() : this.count);
  selectedCount: number = $derived(this.selection.count());
  /** Indices in the order of the grid; null while that is 0, 1, 2, … */
  visible: Uint32Array | null = $derived.by(() => {
    let set = this.matching;
    if (this.onlySelected) set = this.selection;
    if (!this.order) return set ? set.toIndices() : null;
    if (!set) return this.order;
    const chosen = set;
    return this.order.filter((index) => chosen.has(index));
  });
  visibleCount: number = $derived(this.visible ? this.visible.length : this.count);
  currentTag: TagSummary | null = $derived(
    this.tags.find((tag) => tag.id === this.view.tag) ??
      this.tags.find((tag) => tag.name === INITIAL_TAG) ??
      null,
  );
  embedding: EmbeddingChoice | null = $derived(
    this.embeddings.find((one) => one.id === this.view.embedding) ??
      this.embeddings.find((one) => one.projections.length > 0) ??
      this.embeddings[0] ??
      null,
  );
  projection: { id: string; method: string } | null = $derived(
    this.embedding?.projections.find((one) => one.method === this.view.projection) ??
      this.embedding?.projections.find((one) => one.method === 'UMAP') ??
      this.embedding?.projections[0] ??
      null,
  );
  isFiltered: boolean = $derived(
    this.view.filters.length > 0 || this.view.text !== '' || this.view.lasso !== null,
  );

  constructor(
    readonly datasetId: string,
    query: string,
  ) {
    this.view = readView(query);
    this.records = new RecordCache(datasetId);
  }

  get canUndo(): boolean {
    return this.undoStack.canUndo;
  }

  indexAt(position: number): number {
    return this.visible ? this.visible[position] : position;
  }

  positionOf(index: number): number {
    if (!this.visible) return index;
    if (!this.order) {
      // Growing: a search by halves.
      let low = 0;
      let high = this.visible.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (this.visible[middle] < index) low = middle + 1;
        else high = middle;
      }
      return this.visible[low] === index ? low : -1;
    }
    return this.visible.indexOf(index);
  }

  async load(): Promise<void> {
    this.error = null;
    try {
      const params = {
        params: { path: { datasetId: this.datasetId } },
        signal: this.leaving.signal,
      };
      const { data } = await v1.GET('/v1/datasets/{datasetId}', params);
      this.datasetName = data!.name;
      this.count = data!.nSamples ?? 0;
      this.selection = new Bitset(this.count);
      this.isLoaded = true;
    } catch (error) {
      if (!this.isStopped) this.error = error as Error;
      return;
    }
    await Promise.allSettled([
      this.loadTags(),
      this.loadColumns(),
      this.loadEmbeddings(),
      this.loadOrder(),
    ]);
  }

  stop(): void {
    this.isStopped = true;
    this.leaving.abort();
    this.querying?.abort();
    this.plotting?.abort();
    this.sorting?.abort();
    this.records.stop();
  }

  async loadTags(): Promise<void> {
    const params = { params: { path: { datasetId: this.datasetId } }, signal: this.leaving.signal };
    const { data } = await ext.GET('/ext/v1/datasets/{datasetId}/tags', params);
    this.tags = data ?? [];
    await this.loadTagBits();
  }

  private async loadTagBits(): Promise<void> {
    const tag = this.tags.find((one) => one.id === this.view.tag);
    if (!tag || tag.name === INITIAL_TAG) {
      this.tagBits = null;
      return;
    }
    const column = await fetchTagBits(this.datasetId, tag.id, this.leaving.signal);
    if (this.view.tag === tag.id)
      this.tagBits = new Bitset(this.count, column.values as Uint8Array);
  }

  private async loadColumns(): Promise<void> {
    const params = { params: { path: { datasetId: this.datasetId } }, signal: this.leaving.signal };
    for (;;) {
      let list;
      try {
        ({ data: list } = await ext.GET('/ext/v1/datasets/{datasetId}/columns', params));
      } catch (error) {
        if (!this.isStopped) this.queryError = error as Error;
        return;
      }
      if (list!.state === 'READY') {
        this.collecting = null;
        this.columns = list!.columns ?? [];
        this.revision = list!.revision;
        await this.runQuery();
        return;
      }
      this.collecting = { done: list!.done ?? 0, total: list!.total ?? 1 };
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      if (this.isStopped) return;
    }
  }

  private async loadEmbeddings(): Promise<void> {
    const path = { datasetId: this.datasetId };
    const { data } = await v1.GET('/v1/datasets/{datasetId}/embeddings', {
      params: { path },
      signal: this.leaving.signal,
    });
    const ready = (data ?? []).filter((one) => one.isProcessed);
    this.isReading = ready.length < (data ?? []).length;
    if (this.isReading && !ready.length) {
      setTimeout(() => void (this.isStopped || this.loadEmbeddings()), 2 * POLL_MS);
    }
    this.embeddings = await Promise.all(
      ready.map(async (one) => {
        const { data: found } = await v1.GET(
          '/v1/datasets/{datasetId}/embeddings/{embeddingId}/2d',
          {
            params: {
              path: { ...path, embeddingId: one.id },
              query: { mode: 'summaries' } as never,
            },
            signal: this.leaving.signal,
          },
        );
        const projections = (found ?? []).map(({ id, dimensionalityReductionMethod }) => ({
          id,
          method: dimensionalityReductionMethod,
        }));
        return { id: one.id, name: one.name, projections };
      }),
    );
    await this.loadProjection();
  }

  /** Asks for a map that there is none of yet, and waits for it. */
  async requestProjection(method: 'PCA' | 'TSNE' | 'UMAP'): Promise<void> {
    const embedding = this.embedding;
    if (!embedding) return;
    await v1.POST('/v1/datasets/{datasetId}/embeddings/{embeddingId}/trigger2dEmbeddingsJob', {
      params: { path: { datasetId: this.datasetId, embeddingId: embedding.id } },
      body: { dimensionalityReductionMethod: method },
    });
    this.view = { ...this.view, embedding: embedding.id, projection: method };
    for (let wait = 0; wait < 600 && !this.isStopped; wait++) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      await this.loadEmbeddings();
      if (this.projection?.method === method) break;
    }
    this.writeUrl(true);
  }

  private async loadProjection(): Promise<void> {
    this.plotting?.abort();
    const { embedding, projection } = this;
    if (!embedding || !projection) {
      this.xs = this.ys = null;
      return;
    }
    const abort = (this.plotting = new AbortController());
    this.plotError = null;
    try {
      const column = await fetchProjection(
        this.datasetId,
        embedding.id,
        projection.id,
        abort.signal,
        (done, total) => (this.plotProgress = { done, total }),
      );
      const values = column.values as Float32Array;
      this.xs = values.subarray(0, column.count);
      this.ys = values.subarray(column.count);
      this.bounds = column.tail.bounds ?? null;
      this.applyLasso();
    } catch (error) {
      if (!abort.signal.aborted) this.plotError = error as Error;
    } finally {
      this.plotProgress = null;
    }
  }

  private async loadOrder(): Promise<void> {
    this.sorting?.abort();
    const { sort } = this.view;
    if (!sort) {
      this.order = null;
      return;
    }
    const abort = (this.sorting = new AbortController());
    try {
      for (;;) {
        try {
          const { key, descending } = sort;
          this.order = await fetchOrder(
            this.datasetId,
            key,
            descending,
            this.revision,
            abort.signal,
          );
          return;
        } catch (error) {
          if (abort.signal.aborted || (error as { status?: number }).status !== 503) throw error;
          await new Promise((resolve) => setTimeout(resolve, POLL_MS));
        }
      }
    } catch (error) {
      if (!abort.signal.aborted) this.queryError = error as Error;
    }
  }

  private applyLasso(): void {
    const { lasso } = this.view;
    this.lassoBits = lasso && this.xs && this.ys ? findInside(this.xs, this.ys, lasso) : null;
  }

  private makeFilters(): SampleFilter[] {
    const { filters, text, lasso } = this.view;
    const made: SampleFilter[] = filters.map((filter) => {
      const common = {
        key: filter.key,
        isNegated: filter.isNegated,
        isRegex: false,
        isCaseSensitive: false,
      };
      if (filter.kind === 'values') return { ...common, kind: 'values', values: filter.values };
      const range: SampleFilter = { ...common, kind: 'range' };
      if (filter.min !== null) range.min = filter.min;
      if (filter.max !== null) range.max = filter.max;
      return range;
    });
    const none = { isNegated: false, isRegex: false, isCaseSensitive: false };
    if (text) made.push({ ...none, kind: 'name', ...readSearch(text) });
    if (lasso && this.embedding && this.projection) {
      made.push({
        ...none,
        kind: 'polygon',
        embeddingId: this.embedding.id,
        embedding2dId: this.projection.id,
        polygon: lasso.map(([x, y]) => [x, y]),
      });
    }
    return made;
  }

  /** What the filters other than the lasso are, as text. */
  private nameFilters(): string {
    const { filters, text, tag } = this.view;
    return JSON.stringify([filters, text, tag]);
  }

  /** Until the server answers, nothing is shown that belongs to another lasso or to no filter. */
  private forgetOldBits(): void {
    const { filters, text } = this.view;
    if (!filters.length && !text) this.filterBits = null;
    else if (this.plainBits?.name === this.nameFilters()) this.filterBits = this.plainBits.bits;
  }

  /** Lets the server evaluate the filters; a newer question ends an older one. */
  private async runQuery(): Promise<void> {
    this.querying?.abort();
    const keys = this.columns.filter((info) => info.kind !== 'text').map((info) => info.key);
    const filters = this.makeFilters();
    const tag = this.currentTag;
    const tagId = tag && tag.name !== INITIAL_TAG ? tag.id : null;
    if (!filters.length && !keys.length) {
      this.filterBits = null;
      return;
    }
    const abort = (this.querying = new AbortController());
    const name = this.nameFilters();
    const busy = setTimeout(() => (this.isBusy = true), 300);
    try {
      const shown = keys.slice(0, MAX_HISTOGRAMS);
      const found = await queryColumns(
        this.datasetId,
        { filters, tagId, histograms: shown },
        abort.signal,
      );
      this.filterBits = filters.length ? new Bitset(found.count, found.values as Uint8Array) : null;
      if (this.filterBits && !this.view.lasso) this.plainBits = { name, bits: this.filterBits };
      this.histograms = found.tail.histograms;
      if (!filters.length && !tagId) this.totals = found.tail.histograms;
      else if (!Object.keys(this.totals).length) {
        const all = await queryColumns(
          this.datasetId,
          { filters: [], tagId: null, histograms: shown },
          abort.signal,
        );
        this.totals = all.tail.histograms;
      }
      this.queryError = null;
    } catch (error) {
      if (!abort.signal.aborted) this.queryError = error as Error;
    } finally {
      clearTimeout(busy);
      if (this.querying === abort) this.isBusy = false;
    }
  }

  retry(): void {
    if (!this.isLoaded) void this.load();
    else if (!this.columns.length) void this.loadColumns();
    else void this.runQuery();
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
    options: { isDragging?: boolean; isQuiet?: boolean } = {},
  ): void {
    const before = this.view;
    if (!options.isDragging && !options.isQuiet) this.remember();
    this.view = { ...before, ...part };
    this.react(before);
    this.writeUrl(options.isDragging || options.isQuiet || false);
  }

  private react(before: ExploreView): void {
    const { view } = this;
    const isOther = (...names: (keyof ExploreView)[]) =>
      names.some((name) => view[name] !== before[name]);
    if (isOther('tag')) void this.loadTagBits();
    if (isOther('lasso')) this.applyLasso();
    if (isOther('filters', 'text', 'tag', 'lasso')) {
      this.focus = 0;
      this.forgetOldBits();
      void this.runQuery();
    }
    if (isOther('sort')) void this.loadOrder();
    if (isOther('embedding', 'projection')) void this.loadProjection();
  }

  /** Follows the address when it changed by itself: back and forward. */
  followUrl(query: string): void {
    if (query === writeView(this.view)) return;
    const before = this.view;
    this.view = readView(query);
    this.react(before);
  }

  private writeUrl(isReplaced: boolean): void {
    const query = writeView(this.view);
    router.go(`/datasets/${this.datasetId}/explore${query ? `?${query}` : ''}`, {
      replace: isReplaced,
    });
  }

  addressOf(sampleId: string): string {
    const query = writeView(this.view);
    return `/datasets/${this.datasetId}/explore/${sampleId}${query ? `?${query}` : ''}`;
  }

  setFilter(filter: Filter | null, key: string, isDragging = false): void {
    const others = this.view.filters.filter((one) => one.key !== key);
    this.change({ filters: filter ? [...others, filter] : others }, { isDragging });
  }

  /** Notes where a drag began, so that undo goes back to there. */
  beginDrag(): void {
    this.remember();
  }

  setLasso(points: Polygon, scale: number, mode: 'replace' | 'add' | 'subtract'): void {
    let tolerance = LASSO_TOLERANCE_PX * scale;
    let polygon = simplify(points, tolerance);
    while (polygon.length > MAX_LASSO_CORNERS) polygon = simplify(points, (tolerance *= 1.5));
    const digits = Math.max(0, Math.min(12, 2 - Math.floor(Math.log10(scale))));
    const rounded = polygon.map(
      ([x, y]) => [Number(x.toFixed(digits)), Number(y.toFixed(digits))] as const,
    );
    if (mode === 'replace') {
      this.change({ lasso: rounded });
      return;
    }
    if (!this.xs || !this.ys) return;
    let inside = findInside(this.xs, this.ys, rounded);
    if (this.matching) inside = inside.and(this.matching);
    this.select(mode === 'add' ? this.selection.or(inside) : this.selection.andNot(inside));
  }

  select(selection: Bitset): void {
    if (selection.equals(this.selection)) return;
    this.remember();
    this.selection = selection;
    if (selection.isEmpty()) this.onlySelected = false;
  }

  toggle(index: number): void {
    const next = this.selection.clone();
    if (next.has(index)) next.delete(index);
    else next.add(index);
    this.select(next);
  }

  selectRange(from: number, to: number): void {
    const next = this.selection.clone();
    for (let at = Math.min(from, to); at <= Math.max(from, to); at++) next.add(this.indexAt(at));
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
    this.selection = snapshot.selection;
    if (snapshot.selection.isEmpty()) this.onlySelected = false;
    this.react(before);
    this.writeUrl(true);
  }

  /** Makes a tag of what is selected; its parent is the current tag where it fits. */
  async createTag(name: string): Promise<void> {
    const initial = this.tags.find((tag) => tag.name === INITIAL_TAG);
    const isWithin = !this.tagBits || this.selection.isSubsetOf(this.tagBits);
    const parent = isWithin ? (this.currentTag ?? initial) : initial;
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
    await this.loadTags();
  }
}
