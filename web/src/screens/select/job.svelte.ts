/** A selection that was begun, until it has made its tag. */

import { ext } from '../../api/client';
import type { components } from '../../api/extension';
import { followJob, readJobError, type JobDetails } from '../../api/jobs';

export type SelectionReport = components['schemas']['SelectionReport'];

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
    const { signal } = this.leaving;
    try {
      const ended = await followJob(this.id, signal, (details) => (this.details = details));
      if (ended.status === 'FAILED') {
        this.failure = await readJobError(this.id, signal);
        return;
      }
      const params = { params: { path: { jobId: this.id } }, signal };
      this.report = (await ext.GET('/ext/v1/jobs/{jobId}/report', params)).data!;
      whenDone();
    } catch (error) {
      if (!signal.aborted) this.error = error as Error;
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
