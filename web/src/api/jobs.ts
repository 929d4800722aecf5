/** Background jobs of the server, followed until they have ended. */

import { live } from '../lib/live.svelte';
import { states } from '../strings/states';
import { ext, v1, type ApiError } from './client';
import type { components } from './extension';

export type JobDetails = components['schemas']['JobDetails'];

/** Where events are held up on their way, asking now and then gets to the end too. */
const LOOK_MS = 10_000;

const isOver = ({ status }: JobDetails) => status === 'FINISHED' || status === 'FAILED';

/**
 * Tells how far a job is, whenever that changes, and returns how it has ended.
 *
 * Rejects when the job is unknown here, and when `signal` is aborted; the job itself goes on then.
 */
export function followJob(
  jobId: string,
  signal: AbortSignal,
  onChange: (details: JobDetails) => void = () => {},
): Promise<JobDetails> {
  const params = { params: { path: { jobId } }, signal };
  let stopListening = () => {};
  let timer: ReturnType<typeof setInterval> | undefined;
  const ended = new Promise<JobDetails>((resolve, reject) => {
    const tell = (details: JobDetails) => {
      if (details.jobId !== jobId || signal.aborted) return;
      onChange(details);
      if (isOver(details)) resolve(details);
    };
    const look = async () => {
      try {
        tell((await ext.GET('/ext/v1/jobs/{jobId}', params)).data!);
      } catch (error) {
        // Of all else the page says that the server is away, and goes on when it is back.
        if (signal.aborted || (error as ApiError).status === 404) reject(error as Error);
      }
    };
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    stopListening = live.listen({ jobId }, { job: tell });
    timer = setInterval(() => void look(), LOOK_MS);
    void look();
  });
  return ended.finally(() => {
    stopListening();
    clearInterval(timer);
  });
}

/** Why a job failed. */
export async function readJobError(jobId: string, signal: AbortSignal): Promise<string> {
  const { data } = await v1.GET('/v1/jobs/{jobId}', { params: { path: { jobId } }, signal });
  return data!.error ?? '';
}

/** Waits for a job and returns the id of what it has made. Throws what it failed for. */
export async function awaitJob(
  jobId: string,
  signal: AbortSignal,
  onChange?: (details: JobDetails) => void,
): Promise<string | null> {
  await followJob(jobId, signal, onChange);
  const { data } = await v1.GET('/v1/jobs/{jobId}', { params: { path: { jobId } }, signal });
  if (data!.status === 'FAILED') throw new Error(data!.error ?? states.jobFailed);
  return (data!.result?.data as string | undefined) ?? null;
}
