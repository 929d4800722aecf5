/** The order of the grid: sorted by a column, or by likeness to some samples. */

import { fetchOrder, fetchSimilar } from '../../api/columns';
import type { ExploreView } from '../../lib/exploreUrl';
import { exploreStrings } from '../../strings/explore';

const POLL_MS = 1_000;

export class SampleOrder {
  /** All indices; null while they are as they were uploaded. */
  indices = $state.raw<Uint32Array | null>(null);
  error = $state.raw<Error | null>(null);
  /** Nothing is shown in another order than that which was asked for first. */
  isFirstLoading = $state(false);
  private sorting: AbortController | null = null;

  constructor(
    private readonly datasetId: string,
    leaving: AbortSignal,
  ) {
    leaving.addEventListener('abort', () => this.sorting?.abort());
  }

  /** `embeddingId` is by which samples are alike; null where there is none. */
  async load(view: ExploreView, revision: number, embeddingId: string | null): Promise<void> {
    this.sorting?.abort();
    this.error = null;
    const { sort, like } = view;
    if (like.length ? !embeddingId : !sort) {
      this.indices = null;
      this.isFirstLoading = false;
      return;
    }
    this.isFirstLoading = this.indices === null;
    const { signal } = (this.sorting = new AbortController());
    try {
      if (!like.length) this.indices = await this.sort(sort!, revision, signal);
      else this.indices = await this.sortByLikeness(embeddingId!, like, signal);
    } catch (error) {
      if (!signal.aborted) this.error = error as Error;
    } finally {
      if (!signal.aborted) this.isFirstLoading = false;
    }
  }

  private async sortByLikeness(
    embeddingId: string,
    like: readonly string[],
    signal: AbortSignal,
  ): Promise<Uint32Array> {
    const near = await fetchSimilar(this.datasetId, embeddingId, like, signal);
    if (!near.distances.length) throw new Error(exploreStrings.noVectorOfExamples);
    return near.order;
  }

  /** Waits while the server still collects the values. */
  private async sort(
    { key, descending }: NonNullable<ExploreView['sort']>,
    revision: number,
    signal: AbortSignal,
  ): Promise<Uint32Array> {
    for (;;) {
      try {
        return await fetchOrder(this.datasetId, key, descending, revision, signal);
      } catch (error) {
        if (signal.aborted || (error as { status?: number }).status !== 503) throw error;
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    }
  }
}
