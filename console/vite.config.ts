import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';
import { fixtureHandler } from './dev/handler.ts';

/** `vite console` shows the pages on invented data (dev/); nothing of it goes into the build. */
const fixtures: Plugin = {
  name: 'presage-console-fixtures',
  apply: 'serve',
  configureServer: (server) => {
    const handle = fixtureHandler(() => 'demo');
    server.middlewares.use((request, response, next) => {
      if (!handle(request, response)) next();
    });
  },
};

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), fixtures],
  build: {
    outDir: '../dist/console',
    emptyOutDir: true,
    // The first browsers with light-dark().
    target: ['chrome123', 'firefox120', 'safari17.5'],
    // Never inline: the gateway's content security policy allows files of its own only.
    assetsInlineLimit: 0,
    sourcemap: false,
  },
});
