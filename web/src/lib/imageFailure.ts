/** Why an image cannot be shown: pages hear no more than that it did not load. */

export type ImageFailure = 'missing' | 'forbidden' | 'refused' | 'offline';

const REASONS: Record<number, ImageFailure> = { 403: 'forbidden', 404: 'missing', 410: 'missing' };

/**
 * Asks the server again for the link to an image, past what the browser keeps.
 *
 * Returns null when there is a new link, which is worth one more try.
 */
export async function askAgain(url: string): Promise<ImageFailure | null> {
  let response: Response;
  try {
    response = await fetch(url, {
      cache: 'reload',
      redirect: 'manual',
      credentials: 'same-origin',
    });
  } catch {
    return 'offline';
  }
  if (response.type === 'opaqueredirect' || response.ok) return null;
  return REASONS[response.status] ?? 'refused';
}

/** The same address as another one for the page, so that it loads again. */
export function nameAgain(url: string): string {
  return `${url}#again`;
}
