import { defineConfig } from 'vitest/config';

export default defineConfig({
  // React is held once: what JupyterLab's packages and the components under test share is one and the same.
  resolve: { dedupe: ['react', 'react-dom'] },
  test: {
    include: ['src/**/*.test.{ts,tsx}', 'test/**/*.test.{ts,tsx}'],
    environment: 'jsdom',
    setupFiles: ['test/support/page.ts'],
    css: false,
    testTimeout: 20_000,
    // JupyterLab's packages are modules that only a bundler resolves.
    server: { deps: { inline: [/@jupyterlab\//, /@lumino\//, /@jupyter\//, /@rjsf\//] } },
  },
});
