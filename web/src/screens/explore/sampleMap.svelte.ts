/** The map of the samples: which embedding and projection, and where its points are. */

import { v1 } from '../../api/client';
import { fetchProjection } from '../../api/columns';
import type { ExploreView } from '../../lib/exploreUrl';

export interface EmbeddingChoice {
  id: string;
  name: string;
  projections: { id: string; method: string }[];
}

export type Method = 'PCA' | 'TSNE' | 'UMAP';

const POLL_MS = 1_000;
const MAX_WAITS = 600;
/** Points that come unasked: of more, a browser holds tens of megabytes. */
export const MAX_UNASKED = 5_000_000;
const BYTES_PER_POINT = 8;

export class SampleMap {
  embeddings = $state.raw<EmbeddingChoice[]>([]);
  /** An embedding has come, or is to come, and is not read yet. */
  isReading = $state(false);
  xs = $state.raw<Float32Array | null>(null);
  ys = $state.raw<Float32Array | null>(null);
  bounds = $state.raw<[number, number, number, number] | null>(null);
  progress = $state.raw<{ done: number; total: number } | null>(null);
  error = $state.raw<Error | null>(null);
  /** Bytes of points that come only when somebody asks for all of them; else null. */
  heldBytes = $state<number | null>(null);

  embedding: EmbeddingChoice | null = $derived.by(() => {
    const { embedding } = this.view();
    return (
      this.embeddings.find((one) => one.id === embedding) ??
      this.embeddings.find((one) => one.projections.length > 0) ??
      this.embeddings[0] ??
      null
    );
  });
  projection: { id: string; method: string } | null = $derived.by(() => {
    const { projection } = this.view();
    const found = this.embedding?.projections ?? [];
    return (
      found.find((one) => one.method === projection) ??
      found.find((one) => one.method === 'UMAP') ??
      found[0] ??
      null
    );
  });

  private plotting: AbortController | null = null;
  private isAllAsked = false;

  /** `view` tells what is asked for just now, `onPoints` hears when other points have come. */
  constructor(
    private readonly datasetId: string,
    private readonly view: () => ExploreView,
    private readonly count: () => number,
    private readonly leaving: AbortSignal,
    private readonly onPoints: () => void,
  ) {
    leaving.addEventListener('abort', () => this.plotting?.abort());
  }

  async loadEmbeddings(): Promise<void> {
    const path = { datasetId: this.datasetId };
    const { data } = await v1.GET('/v1/datasets/{datasetId}/embeddings', {
      params: { path },
      signal: this.leaving,
    });
    const ready = (data ?? []).filter((one) => one.isProcessed);
    this.isReading = ready.length < (data ?? []).length;
    if (this.isReading && !ready.length) {
      setTimeout(() => void (this.leaving.aborted || this.loadEmbeddings()), 2 * POLL_MS);
    }
    this.embeddings = await Promise.all(
      ready.map(async (one) => ({
        id: one.id,
        name: one.name,
        projections: await this.listProjections(one.id),
      })),
    );
    await this.loadPoints();
  }

  private async listProjections(embeddingId: string) {
    const { data } = await v1.GET('/v1/datasets/{datasetId}/embeddings/{embeddingId}/2d', {
      params: {
        path: { datasetId: this.datasetId, embeddingId },
        query: { mode: 'summaries' } as never,
      },
      signal: this.leaving,
    });
    return (data ?? []).map(({ id, dimensionalityReductionMethod }) => ({
      id,
      method: dimensionalityReductionMethod as string,
    }));
  }

  /** Asks for a projection that there is none of yet, and waits for it. */
  async request(method: Method): Promise<boolean> {
    const { embedding } = this;
    if (!embedding) return false;
    await v1.POST('/v1/datasets/{datasetId}/embeddings/{embeddingId}/trigger2dEmbeddingsJob', {
      params: { path: { datasetId: this.datasetId, embeddingId: embedding.id } },
      body: { dimensionalityReductionMethod: method },
    });
    for (let wait = 0; wait < MAX_WAITS && !this.leaving.aborted; wait++) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      await this.loadEmbeddings();
      if (this.embedding?.projections.some((one) => one.method === method)) return true;
    }
    return false;
  }

  /** Loads a map however large it is. */
  async loadAll(): Promise<void> {
    this.isAllAsked = true;
    await this.loadPoints();
  }

  async loadPoints(): Promise<void> {
    this.plotting?.abort();
    const { embedding, projection } = this;
    if (!embedding || !projection) {
      this.xs = this.ys = null;
      return;
    }
    const isHeld = this.count() > MAX_UNASKED && !this.isAllAsked;
    this.heldBytes = isHeld ? this.count() * BYTES_PER_POINT : null;
    if (isHeld) return;
    const abort = (this.plotting = new AbortController());
    this.error = null;
    try {
      const column = await fetchProjection(
        this.datasetId,
        embedding.id,
        projection.id,
        abort.signal,
        (done, total) => (this.progress = { done, total }),
      );
      const values = column.values as Float32Array;
      this.xs = values.subarray(0, column.count);
      this.ys = values.subarray(column.count);
      this.bounds = column.tail.bounds ?? null;
      this.onPoints();
    } catch (error) {
      if (!abort.signal.aborted) this.error = error as Error;
    } finally {
      this.progress = null;
    }
  }
}
