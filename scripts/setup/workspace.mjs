// The folder that JupyterLab opens: ready for TypeScript notebooks, and with the examples in it.
import { constants, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLI_MAIN, NODE24, REPO } from '../lib/paths.mjs';
import { run } from '../lib/processes.mjs';

/** Which examples were copied into a workspace before: one that the user has deleted does not come back. */
const MARK = '.pilothouse-examples';

/** Prepares the workspace; returns what to tell about it, or nothing. */
export async function prepareWorkspace(workspace) {
  mkdirSync(workspace, { recursive: true });
  await run([NODE24, CLI_MAIN, 'init', workspace]);
  return copyExamples(join(REPO, 'examples'), workspace);
}

/** Copies each example once. What lies in the workspace under its name is the user's, and stays. */
export function copyExamples(from, workspace) {
  const mark = join(workspace, MARK);
  const known = new Set(existsSync(mark) ? readFileSync(mark, 'utf8').split('\n').filter(Boolean) : []);
  const fresh = readdirSync(from).filter((name) => name.endsWith('.ipynb') && !known.has(name));
  for (const name of fresh) {
    const place = join(workspace, name);
    if (!existsSync(place)) copyFileSync(join(from, name), place, constants.COPYFILE_EXCL);
    known.add(name);
  }
  if (fresh.length > 0) writeFileSync(mark, `${[...known].sort().join('\n')}\n`);
  return fresh;
}
