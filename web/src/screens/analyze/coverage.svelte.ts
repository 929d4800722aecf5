/** How far all samples are from a tag: of its report, or measured by the server when asked. */

import { ext, fetchBytes } from '../../api/client';
import type { TagSummary } from '../../api/columns';
import type { components } from '../../api/extension';
import { awaitJob } from '../../api/jobs';
import { readColumn } from '../../lib/columnFormat';

type Report = components['schemas']['SelectionReport'];

export class Coverage {
  distances = $state.raw<Float32Array | null>(null);
  isOfReport = $state(false);
  report = $state.raw<Report | null>(null);
  isMissing = $state(false);
  isMeasuring = $state(false);
  error = $state.raw<Error | null>(null);
  private readonly leaving = new AbortController();

  constructor(
    private readonly datasetId: string,
    private readonly tag: TagSummary,
  ) {}

  private get base(): string {
    return `/ext/v1/datasets/${this.datasetId}`;
  }

  private get params() {
    return {
      params: { path: { datasetId: this.datasetId, tagId: this.tag.id } },
      signal: this.leaving.signal,
    };
  }

  stop(): void {
    this.leaving.abort();
  }

  /** Without an embedding there is nothing to measure with. */
  async load(hasEmbedding: boolean): Promise<void> {
    await this.guard(async () => {
      if (this.tag.hasReport) {
        const path = '/ext/v1/datasets/{datasetId}/tags/{tagId}/selectionReport';
        this.report = (await ext.GET(path, this.params)).data!;
      }
      if (!hasEmbedding || (await this.readMeasured())) return;
      if (!(await this.readReport())) this.isMissing = true;
    });
  }

  /** Lets the server measure, and waits for it. */
  async measure(): Promise<void> {
    this.isMeasuring = true;
    await this.guard(async () => {
      const path = '/ext/v1/datasets/{datasetId}/tags/{tagId}/coverage';
      const { data } = await ext.POST(path, { ...this.params, body: {} });
      await awaitJob(data!.jobId, this.leaving.signal);
      this.isMissing = !(await this.readMeasured());
    });
    this.isMeasuring = false;
  }

  private async readMeasured(): Promise<boolean> {
    const path = `${this.base}/columns/tags/${this.tag.id}/coverage`;
    const buffer = await fetchBytes(path, { signal: this.leaving.signal });
    // Nothing comes as long as nobody has measured it.
    if (!buffer.byteLength) return false;
    this.distances = readColumn(buffer).values as Float32Array;
    this.isOfReport = false;
    return true;
  }

  /** Of a selection, as long as its tag is what it made. */
  private async readReport(): Promise<boolean> {
    const isEdited = this.tag.lastModifiedAt !== this.tag.createdAt;
    const hasDistances = this.report?.columns.some((column) => column.name === 'distances');
    if (isEdited || !hasDistances) return false;
    const path = `${this.base}/tags/${this.tag.id}/selectionReport/columns/distances`;
    const buffer = await fetchBytes(path, { signal: this.leaving.signal });
    this.distances = Float32Array.from(new Float64Array(buffer));
    this.isOfReport = true;
    return true;
  }

  private async guard(action: () => Promise<void>): Promise<void> {
    this.error = null;
    try {
      await action();
    } catch (error) {
      if (!this.leaving.signal.aborted) this.error = error as Error;
    }
  }
}

export interface CoverageFacts {
  radius: number;
  mean: number;
  /** Indices, the farthest first. */
  worst: number[];
}

/** What distances say of some samples; null where none has one. */
export function summarize(
  distances: Float32Array,
  indices: Uint32Array,
  nWorst: number,
): CoverageFacts | null {
  let [sum, count] = [0, 0];
  const worst: number[] = [];
  for (const index of indices) {
    const distance = distances[index];
    if (!(distance >= 0)) continue;
    sum += distance;
    count++;
    if (worst.length === nWorst && distance <= distances[worst.at(-1)!]) continue;
    let place = worst.length;
    while (place > 0 && distances[worst[place - 1]] < distance) place--;
    worst.splice(place, 0, index);
    worst.length = Math.min(worst.length, nWorst);
  }
  return count ? { radius: distances[worst[0]], mean: sum / count, worst } : null;
}
