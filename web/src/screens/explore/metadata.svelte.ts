/** The values of the samples: which columns there are, what matches, and how it is distributed. */

import { ext } from '../../api/client';
import { queryColumns, type ColumnInfo, type SampleFilter } from '../../api/columns';
import { Bitset } from '../../lib/bitset';
import type { PartCounts, PartName } from '../../lib/viewParts';

export interface Question {
  filters: SampleFilter[];
  /** Null for all samples. */
  tagId: string | null;
  isTagNegated: boolean;
  /** What the filters stand for, in their order. */
  parts: readonly PartName[];
  /** What the filters other than the lasso are. */
  name: string;
  hasLasso: boolean;
}

const POLL_MS = 1_000;
const BUSY_AFTER_MS = 300;
/** More keys than this are counted only when somebody opens them. */
const MAX_HISTOGRAMS = 60;

export class Metadata {
  columns = $state.raw<ColumnInfo[]>([]);
  collecting = $state.raw<{ done: number; total: number } | null>(null);
  revision = $state(0);
  totals = $state.raw<Record<string, number[]>>({});
  histograms = $state.raw<Record<string, number[]>>({});
  /** What tag and filters do, each by itself; of the last answer. */
  counts = $state.raw<ReadonlyMap<PartName, PartCounts>>(new Map());
  /** Which samples meet the filters; null while there are none. */
  bits = $state.raw<Bitset | null>(null);
  isBusy = $state(false);
  error = $state.raw<Error | null>(null);

  private plainBits: { name: string; bits: Bitset } | null = null;
  private querying: AbortController | null = null;

  constructor(
    private readonly datasetId: string,
    private readonly leaving: AbortSignal,
  ) {
    leaving.addEventListener('abort', () => this.querying?.abort());
  }

  /** Waits until the server has collected all values; false when it could not. */
  async load(): Promise<boolean> {
    const params = { params: { path: { datasetId: this.datasetId } }, signal: this.leaving };
    for (;;) {
      let list;
      try {
        ({ data: list } = await ext.GET('/ext/v1/datasets/{datasetId}/columns', params));
      } catch (error) {
        if (!this.leaving.aborted) this.error = error as Error;
        return false;
      }
      if (list!.state === 'READY') {
        this.collecting = null;
        this.columns = list!.columns ?? [];
        this.revision = list!.revision;
        return true;
      }
      this.collecting = { done: list!.done ?? 0, total: list!.total ?? 1 };
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      if (this.leaving.aborted) return false;
    }
  }

  /** Until the server answers, nothing is shown that belongs to another lasso or to no filter. */
  forget(question: Pick<Question, 'name'>, isFiltered: boolean): void {
    if (!isFiltered) this.bits = null;
    else if (this.plainBits?.name === question.name) this.bits = this.plainBits.bits;
  }

  /** Lets the server evaluate the filters; a newer question ends an older one. */
  async ask({ filters, tagId, isTagNegated, parts, name, hasLasso }: Question): Promise<void> {
    this.querying?.abort();
    const keys = this.columns.filter((info) => info.kind !== 'text').map((info) => info.key);
    if (!filters.length && !keys.length) {
      this.bits = null;
      this.counts = new Map();
      return;
    }
    const { signal } = (this.querying = new AbortController());
    const busy = setTimeout(() => (this.isBusy = true), BUSY_AFTER_MS);
    const histograms = keys.slice(0, MAX_HISTOGRAMS);
    try {
      const query = { filters, tagId, isTagNegated, histograms };
      const found = await queryColumns(this.datasetId, query, signal);
      this.bits = filters.length ? new Bitset(found.count, found.values as Uint8Array) : null;
      if (this.bits && !hasLasso) this.plainBits = { name, bits: this.bits };
      this.histograms = found.tail.histograms;
      const counted = found.tail.filters.map((one, place) => [parts[place], one] as const);
      const { tag } = found.tail;
      this.counts = new Map(tag ? [['tag', tag], ...counted] : counted);
      if (!filters.length && !tagId) this.totals = found.tail.histograms;
      else if (!Object.keys(this.totals).length) await this.loadTotals(histograms, signal);
      this.error = null;
    } catch (error) {
      if (!signal.aborted) this.error = error as Error;
    } finally {
      clearTimeout(busy);
      if (this.querying?.signal === signal) this.isBusy = false;
    }
  }

  private async loadTotals(histograms: string[], signal: AbortSignal): Promise<void> {
    const all = await queryColumns(
      this.datasetId,
      { filters: [], tagId: null, histograms },
      signal,
    );
    this.totals = all.tail.histograms;
  }
}
