import fastifySwagger from '@fastify/swagger';
import fastifySwaggerUi from '@fastify/swagger-ui';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import { open } from './auth/access.ts';
import type { App } from './http/app.ts';

/** Collects the schemas of all routes that are registered after it into an OpenAPI document. */
export async function collectDocs(app: App, version: string): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Presage',
        version,
        description:
          'Events in, decisions out. Every error is `{code, message, requestId, details?}`. Times are Unix milliseconds.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags: [
        { name: 'ingest', description: 'The Segment HTTP tracking API.' },
        { name: 'decide', description: 'The next best action, on request.' },
        { name: 'session', description: 'Tokens for live sessions of known users.' },
        { name: 'read', description: 'What was decided, and from what.' },
        { name: 'console', description: 'What the console uses: cookie or admin token.' },
        { name: 'keys', description: 'Keys of tenants.' },
        { name: 'operations', description: 'Health and metrics.' },
      ],
      components: {
        securitySchemes: {
          basic: {
            type: 'http',
            scheme: 'basic',
            description: 'User name = key, no password (as Segment does).',
          },
          bearer: { type: 'http', scheme: 'bearer', description: 'A key, or the admin token.' },
        },
      },
      security: [{ basic: [] }, { bearer: [] }],
    },
    transform: jsonSchemaTransform,
  });
}

/** The document at /docs/json and a page to read it at /docs; all of it served from here. */
export async function serveDocs(app: App): Promise<void> {
  await app.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, access: open };
    });
    await scope.register(fastifySwaggerUi, {
      routePrefix: '/docs',
      staticCSP: true,
      uiConfig: { docExpansion: 'list', deepLinking: true },
    });
  });
}
