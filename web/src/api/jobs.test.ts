import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Handlers } from '../lib/live.svelte';
import { followJob, type JobDetails } from './jobs';

const { answer, stop, heard } = vi.hoisted(() => ({
  answer: vi.fn(),
  stop: vi.fn(),
  heard: [] as Handlers[],
}));
vi.mock('./client', () => ({ ext: { GET: answer }, v1: {} }));
vi.mock('../lib/live.svelte', () => ({
  live: {
    listen: (_: object, handlers: Handlers) => {
      heard.push(handlers);
      return stop;
    },
  },
}));

const JOB = 'a'.repeat(24);
const make = (status: JobDetails['status'], jobId = JOB) => ({ jobId, status }) as JobDetails;
const tell = (details: JobDetails) => heard.at(-1)!.job!(details as never);

describe('a job of the server', () => {
  beforeEach(() => {
    answer.mockReset().mockResolvedValue({ data: make('WAITING') });
    stop.mockReset();
  });

  it('is followed by events until it has ended', async () => {
    const seen: string[] = [];
    const signal = new AbortController().signal;
    const ended = followJob(JOB, signal, ({ status }) => seen.push(status));
    await vi.waitFor(() => expect(seen).toEqual(['WAITING']));
    tell(make('FINISHED', 'b'.repeat(24)));
    tell(make('RUNNING'));
    tell(make('FAILED'));

    expect((await ended).status).toBe('FAILED');
    expect(seen).toEqual(['WAITING', 'RUNNING', 'FAILED']);
    expect(stop).toHaveBeenCalledOnce();
    expect(answer).toHaveBeenCalledOnce();
  });

  it('that is not there is said at once', async () => {
    answer.mockRejectedValue(Object.assign(new Error('gone'), { status: 404 }));

    await expect(followJob(JOB, new AbortController().signal)).rejects.toThrow('gone');
    expect(stop).toHaveBeenCalledOnce();
  });

  it('goes on being followed when the server is away for a moment', async () => {
    answer.mockRejectedValue(Object.assign(new Error('away'), { status: 0 }));
    const ended = followJob(JOB, new AbortController().signal);
    await vi.waitFor(() => expect(answer).toHaveBeenCalled());
    tell(make('FINISHED'));

    expect((await ended).status).toBe('FINISHED');
  });

  it('is left when the page is left', async () => {
    const leaving = new AbortController();
    const ended = followJob(JOB, leaving.signal);
    leaving.abort();

    await expect(ended).rejects.toThrow();
    expect(stop).toHaveBeenCalledOnce();
  });
});
