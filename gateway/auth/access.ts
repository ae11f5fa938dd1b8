import type { Scope } from '../../schemas/index.ts';

/** Who may use a route. Every route declares it; one that does not is a programming error found at start. */
export type Access =
  /** Anyone: health, documentation, static files. */
  | { readonly kind: 'open' }
  /** The instance's operator: admin token, or the console's cookie. */
  | { readonly kind: 'instance' }
  /** A tenant's key with this scope, or the admin token. */
  | {
      readonly kind: 'key';
      readonly scope: Scope;
      /** The key may also stand in the body as `writeKey`. */
      readonly keyInBody?: boolean;
      /** The console's cookie will do too. */
      readonly cookieToo?: boolean;
    };

export const open: Access = { kind: 'open' };
export const instance: Access = { kind: 'instance' };

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
    /** Pages of any origin may call it. */
    crossOrigin?: boolean;
  }
}
