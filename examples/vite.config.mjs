import { join } from 'node:path';
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';

/** The server of the inbox; by default that of `npm start`. */
const SERVER = process.env.VIGIE_URL ?? 'http://localhost:3000';

/**
 * Builds one example, or serves it with hot reload: `npm run example -- --mode react`. In
 * development a proxy forwards the server's paths, so that no other origin is involved.
 */
export default defineConfig(({ mode }) => ({
  root: join(import.meta.dirname, mode),
  base: './',
  build: { outDir: join(import.meta.dirname, '../node_modules/.cache/examples', mode), emptyOutDir: true },
  server: {
    proxy: Object.fromEntries(
      ['/inbox.js', '/assets', '/api', '/socket.io'].map((path) => [
        path,
        { target: SERVER, ws: path === '/socket.io' },
      ]),
    ),
  },
  plugins: [vue({ template: { compilerOptions: { isCustomElement: (tag) => tag.startsWith('vigie-') } } })],
}));
