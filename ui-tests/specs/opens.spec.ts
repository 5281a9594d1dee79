import { expect, test } from '../src/fixtures.js';

test('the address that npm start prints opens JupyterLab with the Pilothouse sidebar in it', async ({
  stack,
  openLab,
}) => {
  const lab = await openLab(stack);
  const sidebar = await lab.sidebar();
  await expect(sidebar.getByRole('button', { name: 'New pilot' }).first()).toBeVisible();
});
