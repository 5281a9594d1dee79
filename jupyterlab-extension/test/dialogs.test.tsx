import { fireEvent, waitFor, within } from '@testing-library/react';
import type { ReactNode } from 'react';
import { expect, it, vi } from 'vitest';
import { ReactPanel } from '../src/components/react-panel.js';
import { type FormBody, FormDialog } from '../src/dialogs/form-dialog.js';
import { createTestApp } from './support/app.js';

const page = within(document.body);
const submit = vi.fn(async () => true);

class Form extends ReactPanel implements FormBody {
  readonly submit = submit;

  protected content(): ReactNode {
    return (
      <>
        <input aria-label="Address" />
        <fieldset data-ph-enter="own">
          <input aria-label="Key" />
        </fieldset>
      </>
    );
  }
}

it('Enter sends a form, but not from a part of it that has its own use for it', async () => {
  const { app } = createTestApp();
  const done = new FormDialog('Attach', new Form(app), { accept: 'Attach', cancel: 'Cancel' }).launch();
  const key = await page.findByLabelText('Key');
  key.focus();
  fireEvent.keyDown(key, { key: 'Enter' });
  expect(submit).not.toHaveBeenCalled();
  const address = page.getByLabelText('Address');
  address.focus();
  fireEvent.keyDown(address, { key: 'Enter' });
  await waitFor(() => expect(submit).toHaveBeenCalledTimes(1));
  expect((await done).button.accept).toBe(true);
});
