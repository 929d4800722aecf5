import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vitest/config';

const api = process.env.LIGHTLY_SERVER ?? 'http://127.0.0.1:8000';

export default defineConfig({
  plugins: [svelte(), svelteTesting()],
  build: {
    outDir: '../src/lightly/server/web/static',
    emptyOutDir: true,
    target: 'es2022',
    // Inlined files would need `data:` in the rules for scripts and styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/v1': api, '/ext': api, '/blobs': api, '/files': api } },
  test: { environment: 'happy-dom', include: ['src/**/*.test.ts'] },
});
