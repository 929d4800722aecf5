/** The tags of the dataset, and which samples the chosen ones have. */

import { ext } from '../../api/client';
import {
  fetchPicks,
  fetchTagBits,
  queryColumns,
  type SampleFilter,
  type TagSummary,
} from '../../api/columns';
import { Bitset } from '../../lib/bitset';
import type { ExploreView } from '../../lib/exploreUrl';
import { INITIAL_TAG } from '../../lib/tagTree';

export class TagSets {
  list = $state.raw<TagSummary[]>([]);
  /** Samples of the current tag; null for all. */
  bits = $state.raw<Bitset | null>(null);
  /** Samples of the other tag that meet the filters; null while none is compared. */
  compared = $state.raw<Bitset | null>(null);
  /** In the order in which the selection behind the current tag picked them. */
  picks = $state.raw<Uint32Array | null>(null);

  initial: TagSummary | null = $derived(this.list.find((tag) => tag.name === INITIAL_TAG) ?? null);
  current: TagSummary | null = $derived.by(() => this.find(this.view().tag) ?? this.initial);
  /** Id of the current tag; null while that is all samples. */
  currentId: string | null = $derived(this.idOf(this.current));

  private comparing: AbortController | null = null;

  constructor(
    private readonly datasetId: string,
    private readonly view: () => ExploreView,
    private readonly count: () => number,
    private readonly leaving: AbortSignal,
  ) {
    leaving.addEventListener('abort', () => this.comparing?.abort());
  }

  find(tagId: string | null): TagSummary | null {
    return this.list.find((tag) => tag.id === tagId) ?? null;
  }

  private idOf(tag: TagSummary | null): string | null {
    return tag && tag.name !== INITIAL_TAG ? tag.id : null;
  }

  async load(): Promise<void> {
    const params = { params: { path: { datasetId: this.datasetId } }, signal: this.leaving };
    const { data } = await ext.GET('/ext/v1/datasets/{datasetId}/tags', params);
    this.list = data ?? [];
    await this.loadCurrent();
  }

  async loadCurrent(): Promise<void> {
    const { currentId, current } = this;
    this.picks = null;
    if (!currentId) {
      this.bits = null;
      return;
    }
    const [bits] = await Promise.all([
      this.fetchBits(currentId),
      current?.hasReport ? this.loadPicks(currentId) : null,
    ]);
    if (this.currentId === currentId) this.bits = bits;
  }

  private async loadPicks(tagId: string): Promise<void> {
    const picks = await fetchPicks(this.datasetId, tagId, this.leaving);
    if (this.currentId === tagId) this.picks = picks;
  }

  private async fetchBits(tagId: string): Promise<Bitset> {
    const column = await fetchTagBits(this.datasetId, tagId, this.leaving);
    return new Bitset(this.count(), column.values as Uint8Array);
  }

  /** Finds the samples of the other tag that meet the filters. */
  async compare(filters: SampleFilter[]): Promise<void> {
    this.comparing?.abort();
    const other = this.find(this.view().compare);
    if (!other || !this.currentId) {
      this.compared = null;
      return;
    }
    const { signal } = (this.comparing = new AbortController());
    const tagId = this.idOf(other);
    let found: Bitset;
    if (filters.length) {
      const query = { filters, tagId, histograms: [] };
      const column = await queryColumns(this.datasetId, query, signal);
      found = new Bitset(column.count, column.values as Uint8Array);
    } else found = tagId ? await this.fetchBits(tagId) : Bitset.full(this.count());
    if (!signal.aborted) this.compared = found;
  }
}
