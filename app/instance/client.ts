import { PresageError } from '../../core/index.ts';
import { findInstance, type InstanceFile } from './registry.ts';

/** Talks to a running instance as its local administrator. */
export interface InstanceClient {
  readonly instance: InstanceFile;
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
  delete<T>(path: string): Promise<T>;
  /** The body as it came, whatever its type. */
  postBytes(path: string, body: unknown): Promise<Buffer>;
}

/** Throws PresageError with the answer's own code and message; `instance_unreachable` (retriable) when there is none. */
export function clientOf(instance: InstanceFile): InstanceClient {
  async function call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(new URL(path, instance.address), {
        method,
        headers: {
          authorization: `Bearer ${instance.token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(60_000),
      });
    } catch (cause) {
      throw new PresageError('instance_unreachable', `Presage at ${instance.address} does not answer.`, {
        retriable: true,
        cause,
      });
    }
    if (response.ok) return response;
    const text = await response.text();
    const { code, message } = answerOf(text);
    throw new PresageError(
      code ?? `http_${response.status}`,
      message ?? `${method} ${path} answered ${response.status}.`,
      {
        retriable: response.status === 429 || response.status === 503 || response.status === 502,
        details: { status: response.status },
      },
    );
  }
  return {
    instance,
    get: async <T>(path: string) => (await (await call('GET', path)).json()) as T,
    post: async <T>(path: string, body: unknown) => (await (await call('POST', path, body)).json()) as T,
    delete: async <T>(path: string) => (await (await call('DELETE', path)).json()) as T,
    postBytes: async (path, body) => Buffer.from(await (await call('POST', path, body)).arrayBuffer()),
  };
}

function answerOf(text: string): { code?: string; message?: string } {
  try {
    return JSON.parse(text) as { code?: string; message?: string };
  } catch {
    return {};
  }
}

/**
 * The instance running on this port. Throws `instance_missing`, or `workspace_mismatch` when it runs another workspace
 * than the one named.
 */
export async function requireInstance(
  stateFolder: string,
  port: number,
  workspace: string | null,
): Promise<InstanceClient> {
  const instance = await findInstance(stateFolder, port);
  if (instance === null) {
    throw new PresageError(
      'instance_missing',
      `No Presage is running on port ${port}: start one with "npx presage start", or name its port with --port.`,
    );
  }
  checkWorkspace(instance, port, workspace);
  return clientOf(instance);
}

export function checkWorkspace(instance: InstanceFile, port: number, workspace: string | null): void {
  if (workspace === null || workspace === instance.workspace) return;
  throw new PresageError(
    'workspace_mismatch',
    `Presage on port ${port} runs workspace ${instance.workspace}, not ${workspace}: choose another --port, or leave out --workspace.`,
  );
}
