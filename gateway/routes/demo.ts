import { z } from 'zod';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import { instance, open } from '../auth/access.ts';
import { tenantOf } from '../auth/principal.ts';
import type { Demo } from '../deps.ts';
import type { App } from '../http/app.ts';

/** What the demo page and `presage simulate` ask for; there only where the workspace has a demo. */
export function demoRoutes(
  app: App,
  { demo, workspace }: { demo: Demo; workspace: CompiledWorkspace },
): void {
  const tags = ['demo'];

  // A public key is public: every page that uses one shows it.
  app.get('/demo/config.json', { config: { access: open }, schema: { hide: true } }, async () => {
    const tenant = [...workspace.tenants.keys()][0] ?? '';
    return { tenant, key: await demo.key(tenant) };
  });

  app.post(
    '/api/demo/key',
    {
      config: { access: instance },
      schema: {
        tags,
        summary: "The tenant's public key for simulated visitors",
        body: z.object({ tenant: z.string().min(1).max(64).optional() }).nullish(),
      },
    },
    async (request) => ({ key: await demo.key(tenantOf(request, workspace.tenants, request.body?.tenant)) }),
  );

  app.post(
    '/api/demo/reset',
    { config: { access: instance }, schema: { tags, summary: 'Remove simulated subjects and their data' } },
    async () => demo.reset(),
  );
}
