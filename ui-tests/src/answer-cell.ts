import { expect, type Locator } from '@playwright/test';

/** An answer as people see it: in a cell, or on a service's page. Found by role and name alone. */
export class AnswerCell {
  readonly region: Locator;

  /** @param within - the cell or page that shows it */
  constructor(within: Locator) {
    this.region = within.getByRole('region', { name: /^Answer of / });
  }

  get stop(): Locator {
    return this.region.getByRole('button', { name: 'Stop', exact: true });
  }

  get retry(): Locator {
    return this.region.getByRole('button', { name: 'Retry', exact: true });
  }

  /** The one sentence that says what went wrong. */
  get problem(): Locator {
    return this.region.getByRole('alert');
  }

  /** Waits until it streams, with some text there. */
  async streaming(timeout = 60_000): Promise<void> {
    await expect(this.region).toHaveAttribute('aria-busy', 'true', { timeout });
    await expect.poll(() => this.length(), { timeout }).toBeGreaterThan(0);
  }

  /** Asserts that it streams and that text has come since; asserts it again at the end. */
  async grows(timeout = 30_000): Promise<void> {
    const before = await this.length();
    await expect(this.region).toHaveAttribute('aria-busy', 'true');
    await expect.poll(() => this.length(), { timeout, intervals: [30] }).toBeGreaterThan(before);
    await expect(this.region).toHaveAttribute('aria-busy', 'true');
  }

  /** Waits for its end, however that comes. */
  async ended(timeout = 90_000): Promise<void> {
    await expect(this.region).toHaveAttribute('aria-busy', 'false', { timeout });
  }

  /** The text exactly as it came, which "plain text" shows. */
  async plainText(): Promise<string> {
    const mode = this.region.getByRole('button', { name: /^(plain text|formatted)$/ });
    // A notebook that has just been opened draws its outputs once more, and the choice is gone again.
    await expect(async () => {
      if ((await mode.innerText()) === 'plain text') await mode.click();
      await expect(mode).toHaveText('formatted', { timeout: 1000 });
    }).toPass({ timeout: 20_000 });
    return this.region
      .locator('pre')
      .first()
      .evaluate((node) => node.textContent ?? '');
  }

  /** Figures of the timing table by name. */
  async timing(): Promise<Map<string, string>> {
    const table = this.region.getByRole('table', { name: 'Timing of this answer' });
    if (!(await table.isVisible())) await this.region.locator('summary', { hasText: 'inference' }).click();
    const rows = await table.getByRole('row').all();
    const cells = await Promise.all(
      rows.map(async (row) => [await row.getByRole('rowheader').innerText(), await row.getByRole('cell').innerText()]),
    );
    return new Map(cells.map(([name = '', value = '']) => [name, value]));
  }

  private length(): Promise<number> {
    return this.region
      .locator('pre, .jp-RenderedMarkdown')
      .first()
      .evaluate((node) => (node.textContent ?? '').length, undefined, { timeout: 1000 })
      .catch(() => 0);
  }
}
