import { test as base } from '@playwright/test';
import { Lab } from './lab.js';
import { Stack } from './stack.js';

export { expect } from '@playwright/test';

interface WorkerFixtures {
  /** One stack for all tests of a file that leave it whole. */
  readonly stack: Stack;
}

interface TestFixtures {
  /** A stack for one test alone, which may kill what it likes. */
  readonly ownStack: Stack;
  /** Opens JupyterLab of a stack, at a notebook of its workspace where a path is given. */
  readonly openLab: (stack: Stack, path?: string) => Promise<Lab>;
}

// Playwright reads what a fixture needs from its first parameter, which must be a pattern: `browserName` is named because
// an empty one says nothing.

/** Playwright's test with the product running: import `test` and `expect` from here in every spec. */
export const test = base.extend<TestFixtures, WorkerFixtures>({
  stack: [
    async ({ browserName: _ }, use) => {
      const stack = await Stack.start();
      await use(stack);
      await stack.close();
    },
    { scope: 'worker', timeout: 180_000 },
  ],
  ownStack: [
    async ({ browserName: _ }, use) => {
      const stack = await Stack.start();
      await use(stack);
      await stack.close();
    },
    { timeout: 180_000 },
  ],
  openLab: async ({ page }, use, testInfo) => {
    const said: string[] = [];
    page.on('pageerror', (error) => said.push(`thrown: ${error.stack ?? error.message}`));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) said.push(`${message.type()}: ${message.text()}`);
    });
    await use((stack, path) => Lab.open(page, stack, path));
    // What the page complained of explains most failures.
    if (testInfo.status !== testInfo.expectedStatus && said.length > 0) {
      console.log(`The page's console:\n${said.slice(-40).join('\n')}`);
    }
  },
});
