import { ext } from '../../api/client';

/** Index, id, file name and type of a sample. */
export interface SampleRecord {
  index: number;
  id: string;
  fileName: string;
  type: string;
}

const MAX_PER_REQUEST = 400;
const MAX_KEPT = 40_000;
const WAIT_MS = 25;

/** What the grid shows of samples, fetched when they come near the window. */
export class RecordCache {
  /** Changes whenever something has arrived. */
  version = $state(0);
  error = $state.raw<Error | null>(null);
  private readonly known = new Map<number, SampleRecord>();
  private wanted: number[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running = new Set<number>();
  private abort = new AbortController();

  constructor(private readonly datasetId: string) {}

  get(index: number): SampleRecord | undefined {
    return this.known.get(index);
  }

  /** Fetches those that are missing; an earlier wish that has not begun is forgotten. */
  want(indices: Iterable<number>): void {
    this.wanted = [...indices].filter(
      (index) => !this.known.has(index) && !this.running.has(index),
    );
    clearTimeout(this.timer);
    if (this.wanted.length) this.timer = setTimeout(() => void this.fetchWanted(), WAIT_MS);
  }

  async find(index: number): Promise<SampleRecord | undefined> {
    if (!this.known.has(index)) await this.fetchSome([index]);
    return this.known.get(index);
  }

  /** Likewise of many, in one request for those that are missing. */
  async findAll(indices: readonly number[]): Promise<(SampleRecord | undefined)[]> {
    const missing = indices.filter((index) => !this.known.has(index));
    if (missing.length) await this.fetchSome(missing);
    return indices.map((index) => this.known.get(index));
  }

  retry(): void {
    this.error = null;
    this.version++;
  }

  stop(): void {
    clearTimeout(this.timer);
    this.abort.abort();
  }

  private async fetchWanted(): Promise<void> {
    const indices = this.wanted;
    this.wanted = [];
    for (let start = 0; start < indices.length; start += MAX_PER_REQUEST) {
      await this.fetchSome(indices.slice(start, start + MAX_PER_REQUEST));
    }
  }

  private async fetchSome(indices: number[]): Promise<void> {
    for (const index of indices) this.running.add(index);
    try {
      const { data } = await ext.POST('/ext/v1/datasets/{datasetId}/samples/records', {
        params: { path: { datasetId: this.datasetId } },
        body: { indices },
        signal: this.abort.signal,
      });
      if (this.known.size > MAX_KEPT) this.known.clear();
      for (const [index, id, fileName, type] of data as unknown as [
        number,
        string,
        string,
        string,
      ][]) {
        this.known.set(index, { index, id, fileName, type });
      }
      this.error = null;
    } catch (error) {
      if (!this.abort.signal.aborted) this.error = error as Error;
    } finally {
      for (const index of indices) this.running.delete(index);
      this.version++;
    }
  }
}
