/** Calls of the server: only `/v1` and `/ext/v1` of the host that the app came from. */

import createClient, { type Middleware } from 'openapi-fetch';
import type { paths as ContractPaths } from './contract';
import type { paths as ExtensionPaths } from './extension';

export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly requestId: string | null,
  ) {
    super(message);
  }
}

let onSignedOut: () => void = () => {};

/** Sets what happens when the server no longer knows who asks. */
export function whenSignedOut(action: () => void): void {
  onSignedOut = action;
}

export async function toError(response: Response): Promise<ApiError> {
  let message = `The server answered ${response.status}.`;
  let code = '';
  try {
    const body = (await response.json()) as { error?: string; code?: string };
    message = body.error ?? message;
    code = body.code ?? '';
  } catch {
    // No JSON: whatever stands between the app and the server has answered.
  }
  return new ApiError(message, response.status, code, response.headers.get('X-Request-Id'));
}

const raise: Middleware = {
  async onResponse({ response, request }) {
    if (response.ok) return;
    if (response.status === 401 && !request.url.endsWith('/ext/v1/session')) onSignedOut();
    throw await toError(response);
  },
  onError({ error }) {
    if (error instanceof DOMException && error.name === 'AbortError') return error;
    return new ApiError('The server cannot be reached. Is it running?', 0, 'OFFLINE', null);
  },
};

const options = { baseUrl: location.origin, credentials: 'same-origin' } as const;
export const v1 = createClient<ContractPaths>(options);
export const ext = createClient<ExtensionPaths>(options);
v1.use(raise);
ext.use(raise);

/** Fetches bytes; `onProgress` hears how many of how many have come. */
export async function fetchBytes(
  path: string,
  init: RequestInit = {},
  onProgress?: (done: number, total: number) => void,
): Promise<ArrayBuffer> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: 'same-origin', ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError('The server cannot be reached. Is it running?', 0, 'OFFLINE', null);
  }
  if (!response.ok) {
    if (response.status === 401) onSignedOut();
    throw await toError(response);
  }
  const total = Number(response.headers.get('Content-Length') ?? 0);
  if (!onProgress || !response.body || total < 2_000_000) return response.arrayBuffer();
  const bytes = new Uint8Array(total);
  const reader = response.body.getReader();
  let done = 0;
  for (;;) {
    const piece = await reader.read();
    if (piece.done) break;
    bytes.set(piece.value, done);
    done += piece.value.length;
    onProgress(done, total);
  }
  return bytes.buffer;
}
