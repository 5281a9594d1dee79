import { defineConfig } from '@playwright/test';
import config from './playwright.config.js';

/** The pictures of README and guide: not a test, though made like one. */
export default defineConfig({
  ...config,
  testDir: 'pictures',
  reporter: [['list']],
  use: { ...config.use, viewport: { width: 1360, height: 800 }, deviceScaleFactor: 1.5 },
});
