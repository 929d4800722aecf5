import { afterEach, describe, expect, it, vi } from 'vitest';
import { askAgain } from './imageFailure';

afterEach(() => vi.unstubAllGlobals());

const answer = (response: Partial<Response>) =>
  vi.stubGlobal(
    'fetch',
    vi.fn(async () => response as Response),
  );

describe('an image that did not load', () => {
  it.each([
    [{ type: 'opaqueredirect', ok: false, status: 0 }, null],
    [{ type: 'basic', ok: true, status: 200 }, null],
    [{ type: 'basic', ok: false, status: 404 }, 'missing'],
    [{ type: 'basic', ok: false, status: 403 }, 'forbidden'],
    [{ type: 'basic', ok: false, status: 503 }, 'refused'],
  ] as [Partial<Response>, string | null][])('of %j: %s', async (response, failure) => {
    answer(response);

    expect(await askAgain('/image')).toBe(failure);
  });

  it('has no reason but the server when that is gone', async () => {
    vi.stubGlobal('fetch', async () => Promise.reject(new TypeError()));

    expect(await askAgain('/image')).toBe('offline');
  });

  it('is asked for past what the browser keeps', async () => {
    answer({ ok: true });
    await askAgain('/image');

    expect(fetch).toHaveBeenCalledWith('/image', expect.objectContaining({ cache: 'reload' }));
  });
});
