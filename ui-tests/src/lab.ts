import { join } from 'node:path';
import { galata, type IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { expect, type Locator, type Page } from '@playwright/test';
import { readNotebook, type SavedNotebook } from './notebook-file.js';
import type { Stack } from './stack.js';

/**
 * JupyterLab in a browser page, driven as a user drives it. Galata's mocks are not used: settings, state and sessions are
 * the real ones, because reloads and restarts are what is tested.
 */
export class Lab {
  /** Playwright's page with Galata's helpers. */
  readonly page: IJupyterLabPageFixture;
  readonly stack: Stack;

  private constructor(page: IJupyterLabPageFixture, stack: Stack) {
    this.page = page;
    this.stack = stack;
  }

  /** Signs in and opens JupyterLab, at a notebook where a path is given. */
  static async open(page: Page, stack: Stack, path?: string): Promise<Lab> {
    const signedIn = await page.context().request.get(stack.url.href);
    expect(signedIn.ok(), `JupyterLab answers the address that npm start printed (${signedIn.status()})`).toBe(true);
    const helped = galata.addHelpersToPage(page, stack.baseUrl.replace(/\/$/, ''), loaded);
    const lab = new Lab(helped, stack);
    // JupyterLab's own word while its server is away; a user puts it aside.
    const away = page.getByRole('dialog', { name: /^Server Connection Error/ });
    await page.addLocatorHandler(away, () => away.getByRole('button').last().click());
    if (path === undefined) await helped.goto();
    else await lab.openNotebook(path);
    return lab;
  }

  /** Opens a notebook of the workspace by its address and waits until its kernel has started. */
  async openNotebook(path: string): Promise<void> {
    await this.page.goto(`tree/${encodeURI(path)}`);
    await expect(this.notebook).toBeVisible();
    await this.kernelReady(path);
  }

  /** The panel of the notebook in front. */
  get notebook(): Locator {
    return this.page.locator('.jp-NotebookPanel:not(.lm-mod-hidden)');
  }

  /** A cell of the notebook in front, counted from 0 as in the file. */
  cell(index: number): Locator {
    return this.notebook.locator('.jp-Cell').nth(index);
  }

  /** What a cell has put out. */
  output(index: number): Locator {
    return this.cell(index).locator('.jp-Cell-outputArea');
  }

  /** Selects a cell and runs it; does not wait for its end. */
  async runCell(index: number): Promise<void> {
    await this.cell(index).locator('.jp-InputPrompt, .jp-Cell-inputArea').first().click();
    await this.page.keyboard.press('Escape');
    await this.page.keyboard.press('Control+Enter');
  }

  /** Run All; does not wait for its end. */
  async runAll(): Promise<void> {
    await this.command('notebook:run-all-cells');
  }

  /** Waits until a cell has run to its end: its prompt holds a number. */
  async cellDone(index: number, timeout = 90_000): Promise<void> {
    await expect(this.cell(index).locator('.jp-InputPrompt').first()).toHaveText(/^\[\d+\]:$/, { timeout });
  }

  /** Restarts the kernel of the notebook in front, as from the menu. */
  async restartKernel(): Promise<void> {
    const done = this.command('notebook:restart-kernel');
    await this.page.locator('.jp-Dialog').getByRole('button', { name: 'Confirm Kernel Restart' }).click();
    await done;
    await this.kernelReady();
  }

  /** Saves the notebook in front and waits until it is on disk. */
  async save(): Promise<void> {
    await this.command('docmanager:save');
    await expect(this.notebook).not.toHaveClass(/jp-mod-dirty/);
  }

  /** A notebook of the workspace as it lies on disk. */
  saved(path: string): SavedNotebook {
    return readNotebook(join(this.stack.workspace, path));
  }

  /** Reloads the page; the layout is restored as for a user. */
  async reload(): Promise<void> {
    await this.page.reload();
  }

  /** Opens the sidebar of Pilothouse, if it is not open, and gives it. */
  async sidebar(): Promise<Locator> {
    const panel = this.page.getByRole('region', { name: 'Pilothouse', exact: true });
    if (!(await panel.isVisible())) await this.page.getByRole('tab', { name: 'Pilothouse', exact: true }).click();
    await expect(panel).toBeVisible();
    return panel;
  }

  /** Runs a command of JupyterLab by its id, and waits for it. */
  async command(id: string, args: Record<string, string | number | boolean> = {}): Promise<void> {
    await this.page.evaluate(async ([name, values]) => void (await window.jupyterapp.commands.execute(name, values)), [
      id,
      args,
    ] as const);
  }

  /**
   * Waits until the kernel of the notebook in front takes code. What the page shows as idle may be a kernel that has not
   * been heard of yet, or the one of a tab that was in front before: a cell that is run then is dropped without a word.
   */
  private async kernelReady(path?: string): Promise<void> {
    await this.page.waitForFunction(
      (wanted) => {
        const panel = window.jupyterapp.shell.currentWidget as NotebookPanel | null;
        if (wanted !== undefined && panel?.context?.path !== wanted) return false;
        const context = panel?.sessionContext;
        const kernel = context?.session?.kernel;
        return context?.isReady === true && kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
      },
      path,
      { timeout: 60_000 },
    );
  }
}

/** Galata waits for the launcher; a reload restores other tabs instead, so the splash screen must do. */
async function loaded(page: Page): Promise<void> {
  await page.locator('#jupyterlab-splash').waitFor({ state: 'detached' });
}
