/** A selection that was begun, until it has made its tag. */

import { ext, v1 } from '../../api/client';
import type { components } from '../../api/extension';

export type JobDetails = components['schemas']['JobDetails'];
export type SelectionReport = components['schemas']['SelectionReport'];

const POLL_MS = 700;

export class SelectionJob {
  details = $state.raw<JobDetails | null>(null);
  report = $state.raw<SelectionReport | null>(null);
  failure = $state<string | null>(null);
  /** Of reading how far it is; the job itself goes on. */
  error = $state.raw<Error | null>(null);
  isCancelled = $state(false);
  private readonly leaving = new AbortController();

  constructor(readonly id: string) {}

  /** Follows the job; `whenDone` hears of its tag. */
  async follow(whenDone: () => void): Promise<void> {
    const params = { params: { path: { jobId: this.id } }, signal: this.leaving.signal };
    while (!this.leaving.signal.aborted) {
      try {
        const { data } = await ext.GET('/ext/v1/jobs/{jobId}', params);
        this.details = data!;
        this.error = null;
        if (data!.status === 'FINISHED') {
          this.report = (await ext.GET('/ext/v1/jobs/{jobId}/report', params)).data!;
          whenDone();
          return;
        }
        if (data!.status === 'FAILED') {
          this.failure = (await v1.GET('/v1/jobs/{jobId}', params)).data?.error ?? '';
          return;
        }
      } catch (error) {
        if (this.leaving.signal.aborted) return;
        this.error = error as Error;
        // Absent or not ours: asking again will not help.
        if ((error as { status?: number }).status === 404) return;
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async cancel(): Promise<void> {
    await ext.PUT('/ext/v1/jobs/{jobId}/cancel', { params: { path: { jobId: this.id } } });
    this.isCancelled = true;
  }

  stop(): void {
    this.leaving.abort();
  }
}
