import { defineConfig } from '@playwright/test';
import tests from './playwright.config.js';

/** `npm run pictures`: the same browser and the same product as the tests, twice the pixels. */
export default defineConfig({
  ...tests,
  testDir: 'pictures',
  reporter: [['list']],
  use: { ...tests.use, deviceScaleFactor: 1.5, viewport: { width: 1280, height: 760 } },
});
