import { createServer } from 'node:net';
import { PresageError } from '../../core/index.ts';

/** Finds out before anything is started whether the port can be had. Throws PresageError `port_taken`. */
export async function ensurePortIsFree(host: string, port: number): Promise<void> {
  if (port === 0) return;
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === 'EADDRINUSE'
          ? 'is taken by another program: stop it, or choose another with --port'
          : `can't be used (${cause.code}): choose another with --port`;
      reject(new PresageError('port_taken', `Port ${port} ${why}.`, { cause }));
    });
    probe.listen(port, host, () => probe.close(() => resolve()));
  });
}
