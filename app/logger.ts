import pino from 'pino';
import type { Logger } from '../core/index.ts';

/** Structured logs on standard error. Credentials are never logged; these paths are a second line of defence. */
export function makeLogger(level: string): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: ['key', 'token', 'writeKey', 'authorization', 'cookie', '*.authorization', '*.cookie'],
        censor: '[hidden]',
      },
    },
    pino.destination({ dest: 2, sync: true }),
  ) as Logger;
}
