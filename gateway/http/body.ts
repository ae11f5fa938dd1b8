import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { PresageError } from '../../core/index.ts';
import { limits } from '../limits.ts';

/** Bytes of request bodies in hand, over all requests: many slow large ones together must not exhaust memory. */
export interface BodyBudget {
  readonly used: number;
  /** Takes bytes until `giveBack` of the same request. Throws `overloaded` (retriable). */
  take(request: IncomingMessage, bytes: number): void;
  giveBack(request: IncomingMessage): void;
}

export function makeBodyBudget(totalBytes: number): BodyBudget {
  let used = 0;
  const held = new WeakMap<IncomingMessage, number>();
  return {
    get used() {
      return used;
    },
    take: (request, bytes) => {
      if (used + bytes > totalBytes) {
        throw new PresageError(
          'overloaded',
          'More is being received at once than memory is set aside for; nothing was kept, try again in a second.',
          { retriable: true },
        );
      }
      used += bytes;
      held.set(request, (held.get(request) ?? 0) + bytes);
    },
    giveBack: (request) => {
      used -= held.get(request) ?? 0;
      held.delete(request);
    },
  };
}

/**
 * Reads bodies as JSON, gzipped or not, from JSON and from the plain text that browsers send when a page closes.
 * Fastify's own reader answers an oversized body at once and closes, and a client that is still sending then sees a
 * broken connection instead of our 413; this one reads on (bounded) and throws away, so that the answer arrives.
 */
export function readJsonBodies(app: FastifyInstance, budget: BodyBudget): void {
  // Refuses `__proto__` and `constructor.prototype` as keys.
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addHook('onRequest', async (request, reply) => {
    reply.raw.once('close', () => budget.giveBack(request.raw));
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    ['application/json', 'text/plain'],
    async (request: FastifyRequest, payload: Readable) => {
      const limit = request.routeOptions.bodyLimit;
      const bytes = await readBytes(request, payload, limit, budget);
      if (bytes.length === 0) return undefined;
      return new Promise((resolve, reject) => {
        const text = bytes.toString('utf8');
        void parseJson(request, text, (error, body) =>
          error ? reject(refusalOf(error, text)) : resolve(body),
        );
      });
    },
  );
}

/** The parser says of a forbidden key no more than that the body is wrong. */
function refusalOf(error: Error, text: string): Error {
  try {
    JSON.parse(text);
  } catch {
    return error;
  }
  return new PresageError(
    'malformed_json',
    'The body has a key "__proto__", or "prototype" in "constructor", which are not taken. Rename it.',
  );
}

function readBytes(
  request: FastifyRequest,
  payload: Readable,
  limit: number,
  budget: BodyBudget,
): Promise<Buffer> {
  const encoding = request.headers['content-encoding'];
  const tooLarge = (): PresageError =>
    new PresageError(
      'body_too_large',
      `The body is larger than ${kilobytes(limit)}, the most this address takes.`,
      {
        details: { limitBytes: limit },
      },
    );
  if (encoding !== undefined && encoding !== 'identity' && encoding !== 'gzip') {
    throw new PresageError('unsupported_encoding', 'Content-Encoding can be gzip, or absent.');
  }

  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let received = 0;
    let kept = 0;
    let failure: PresageError | null = null;
    const gunzip = encoding === 'gzip' ? createGunzip() : null;

    const fail = (error: PresageError): void => {
      failure ??= error;
      chunks.length = 0;
      gunzip?.destroy();
    };
    const keep = (chunk: Buffer): void => {
      if (failure !== null) return;
      kept += chunk.length;
      try {
        if (kept > limit) throw tooLarge();
        budget.take(request.raw, chunk.length);
        chunks.push(chunk);
      } catch (error) {
        fail(error as PresageError);
      }
    };
    const finish = (): void => {
      if (failure !== null) reject(failure);
      else resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, kept));
    };

    payload.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received > limits.drainBytes) {
        // Enough politeness: the answer goes out and the connection is closed on whatever is still coming.
        payload.removeAllListeners('data');
        return reject(failure ?? tooLarge());
      }
      if (gunzip === null || failure !== null) keep(chunk);
      else if (!gunzip.write(chunk)) {
        payload.pause();
        gunzip.once('drain', () => payload.resume());
      }
    });
    payload.once('end', () => {
      if (gunzip === null || failure !== null) finish();
      else gunzip.end();
    });
    payload.once('error', (error) => {
      gunzip?.destroy();
      reject(
        new PresageError('connection_lost', 'The connection was lost before the body was complete.', {
          cause: error,
        }),
      );
    });
    gunzip?.on('data', keep);
    gunzip?.once('end', finish);
    gunzip?.once('error', (error) => {
      fail(
        new PresageError('malformed_body', 'The body is not valid gzip, though Content-Encoding says so.', {
          cause: error,
        }),
      );
      // The rest of the payload may still be coming, or all of it may be in.
      if (payload.readableEnded) finish();
      else payload.resume();
    });
    gunzip?.once('close', () => {
      if (failure === null) return;
      if (payload.readableEnded) finish();
      else payload.resume();
    });
  });
}

const kilobytes = (bytes: number): string => `${Math.round(bytes / 1024)} KB`;
