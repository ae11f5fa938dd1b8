import { signedOut } from './session.ts';

/** What the gateway refused or could not do, in its words, or that it did not answer (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
  }
}

/** Longer than anything the gateway does for the console takes; then it counts as not answering. */
const timeoutMs = 15_000;

export const getJson = <T>(path: string, signal?: AbortSignal): Promise<T> => send<T>(path, {}, signal);

export const postJson = <T>(path: string, body: unknown): Promise<T> =>
  send<T>(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/** The parameters that have a value, as a query string with its `?`, or nothing. */
export function query(parameters: Readonly<Record<string, string | number | null | undefined>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== '') search.set(name, String(value));
  }
  return search.size === 0 ? '' : `?${search}`;
}

async function send<T>(path: string, init: RequestInit, signal?: AbortSignal): Promise<T> {
  const timeout = AbortSignal.timeout(timeoutMs);
  let response: Response;
  try {
    response = await fetch(path, {
      ...init,
      credentials: 'same-origin',
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, 'no_answer', 'Presage does not answer. Is it still running?');
  }
  const body: unknown = await response.json().catch(() => null);
  if (response.ok && body !== null) return body as T;
  if (response.status === 401) signedOut();
  throw toError(response.status, body);
}

function toError(status: number, body: unknown): ApiError {
  const outer = asObject(body);
  const inner = asObject(outer?.error) ?? outer;
  const code = typeof inner?.code === 'string' ? inner.code : `http_${status}`;
  const message =
    typeof inner?.message === 'string' ? inner.message : `The gateway answered with status ${status}.`;
  return new ApiError(status, code, message);
}

const asObject = (value: unknown): Record<string, unknown> | null =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
