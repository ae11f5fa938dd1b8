import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { PresageError } from '../../core/index.ts';
import type { SessionSecrets } from '../sessions.ts';

/** What a client was given to show, in its own hands: no server has to remember it. */
export interface Receipt {
  readonly decision: string;
  /** Who asked: an anonymous id, also where the decision is about the user that it became. */
  readonly subject: string;
  readonly session: string | null;
  readonly action: string;
  readonly placement: string;
  /** Never shown after this, Unix ms. */
  readonly expiresAt: number;
}

export interface Receipts {
  /** Text without a secret in it, that nobody else can make. The same decision gives the same text. */
  issue(tenant: string, receipt: Receipt): string;
  /** Throws PresageError `bad_receipt`: not ours, of another tenant, or changed. */
  read(tenant: string, text: string): Receipt;
}

const content = z.tuple([
  z.string().min(1).max(64),
  z.string().regex(/^[ua]:.{1,256}$/s),
  z.string().nullable(),
  z.string(),
  z.string(),
  z.number(),
]);

/** Signed with the tenant's secret for sessions; what is signed begins with words that no session token has. */
export function makeReceipts(secrets: SessionSecrets): Receipts {
  const sign = (tenant: string, body: string): Buffer => {
    const secret = secrets(tenant);
    if (secret === undefined)
      throw new PresageError('unknown_tenant', `Tenant "${tenant}" has no session secret.`);
    return createHmac('sha256', secret).update(`presage receipt ${tenant} ${body}`).digest().subarray(0, 16);
  };
  return {
    issue(tenant, { decision, subject, session, action, placement, expiresAt }) {
      const fields = JSON.stringify([decision, subject, session, action, placement, expiresAt]);
      const body = Buffer.from(fields).toString('base64url');
      return `${body}.${sign(tenant, body).toString('base64url')}`;
    },
    read(tenant, text) {
      const [body = '', signature = ''] = text.split('.');
      const given = Buffer.from(signature, 'base64url');
      const right = sign(tenant, body);
      if (given.length !== right.length || !timingSafeEqual(given, right)) throw badReceipt();
      const fields = content.safeParse(JSON.parse(Buffer.from(body, 'base64url').toString('utf8')));
      if (!fields.success) throw badReceipt();
      const [decision, subject, session, action, placement, expiresAt] = fields.data;
      return { decision, subject, session, action, placement, expiresAt };
    },
  };
}

const badReceipt = (): PresageError =>
  new PresageError(
    'bad_receipt',
    'This receipt was not given out here: send `receipt` as the answer of /v1/decide had it.',
  );
