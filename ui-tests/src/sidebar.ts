import { expect, type Locator, type Page } from '@playwright/test';
import type { Lab } from './lab.js';

/** The sidebar and the dialogs that open from it, by the words people see. */
export class Sidebar {
  private constructor(
    readonly region: Locator,
    private readonly page: Page,
  ) {}

  static async open(lab: Lab): Promise<Sidebar> {
    return new Sidebar(await lab.sidebar(), lab.page);
  }

  /** Presses a button at the top of the sidebar and gives the dialog that it opens. */
  async ask(button: 'New pilot' | 'Start service' | 'Attach service'): Promise<Locator> {
    await this.region.getByRole('button', { name: button, exact: true }).first().click();
    const dialog = this.page.getByRole('dialog').filter({ hasText: button });
    await expect(dialog).toBeVisible();
    return dialog;
  }

  /** The row of a pilot or service. */
  row(section: 'Pilots' | 'Services', name: string): Locator {
    return this.region
      .getByRole('list', { name: section, exact: true })
      .getByRole('listitem')
      .filter({ has: this.page.getByRole('button', { name, exact: true }) });
  }
}

/** The page of a pilot or service in the main area. */
export function pageOf(lab: Lab, name: string): Locator {
  return lab.page.getByRole('tabpanel').filter({ has: lab.page.getByRole('heading', { name, exact: true }) });
}
