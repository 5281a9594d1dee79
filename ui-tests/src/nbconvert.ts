import { join } from 'node:path';
import { VENV } from '../../scripts/lib/paths.mjs';
import { run } from '../../scripts/lib/processes.mjs';
import type { Stack } from './stack.js';

/** What `jupyter nbconvert --to html` makes of a notebook of the workspace. */
export async function convertToHtml(stack: Stack, path: string): Promise<string> {
  const jupyter = join(VENV, 'bin', 'jupyter-nbconvert');
  await run([jupyter, '--to', 'html', '--output', 'converted', path], {
    cwd: stack.workspace,
    env: stack.env,
    timeoutMs: 60_000,
  });
  return stack.read('converted.html');
}
