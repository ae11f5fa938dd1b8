import type { FastifyRequest } from 'fastify';
import { PresageError } from '../../core/index.ts';
import type { KeyInfo } from '../keys/index.ts';

/** Who a request comes from. */
export type Principal =
  | { readonly kind: 'instance'; readonly by: 'token' | 'cookie' }
  | { readonly kind: 'key'; readonly key: KeyInfo };

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal | null;
    /** The tenant that the request acts for, once known: for the log. */
    tenant: string | null;
  }
}

/** The route declares an access other than `open`, so someone has been let in. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal === null) throw new PresageError('missing_key', 'This needs a key.');
  return request.principal;
}

/**
 * The tenant that a request acts for: its key's. Who has the admin token names it, in `x-presage-tenant` or, where a
 * route has one, in a query parameter (`named`), and need not where there is only one. A name that disagrees with the
 * key is refused. Throws `tenant_mismatch`, `missing_tenant`, `unknown_tenant`.
 */
export function tenantOf(
  request: FastifyRequest,
  tenants: ReadonlyMap<string, unknown>,
  named: string | undefined = namedTenant(request),
): string {
  const principal = principalOf(request);
  if (principal.kind === 'key') checkTenant(named, principal.key);
  const tenant = principal.kind === 'key' ? principal.key.tenant : (named ?? soleOf(tenants));
  if (tenant === undefined) {
    throw new PresageError(
      'missing_tenant',
      `This instance has several tenants; name one in the x-presage-tenant header: ${[...tenants.keys()].join(', ')}.`,
    );
  }
  mustBeTenant(tenant, tenants);
  request.tenant = tenant;
  return tenant;
}

/** Restricts what a request may see: a key's tenant, the one that an operator names, or null = all. */
export function tenantFilter(request: FastifyRequest, named = namedTenant(request)): string | null {
  const principal = principalOf(request);
  if (principal.kind === 'instance') return named ?? null;
  checkTenant(named, principal.key);
  return principal.key.tenant;
}

/** Throws `unknown_tenant`. */
export function mustBeTenant(tenant: string, tenants: ReadonlyMap<string, unknown>): void {
  if (tenants.has(tenant)) return;
  throw new PresageError(
    'unknown_tenant',
    `Tenant "${tenant.slice(0, 64)}" is not in the workspace, which has ${[...tenants.keys()].join(', ')}.`,
  );
}

/** A key and a header that disagree are a mix-up that would put data where it does not belong. */
export function checkTenantHeader(request: FastifyRequest, key: KeyInfo): void {
  checkTenant(namedTenant(request), key);
  request.tenant = key.tenant;
}

function checkTenant(named: string | undefined, key: KeyInfo): void {
  if (named === undefined || named === key.tenant) return;
  throw new PresageError('tenant_mismatch', 'The request names another tenant than its key belongs to.');
}

function namedTenant(request: FastifyRequest): string | undefined {
  const header = request.headers['x-presage-tenant'];
  return typeof header === 'string' && header !== '' ? header : undefined;
}

function soleOf(tenants: ReadonlyMap<string, unknown>): string | undefined {
  return tenants.size === 1 ? [...tenants.keys()][0] : undefined;
}
