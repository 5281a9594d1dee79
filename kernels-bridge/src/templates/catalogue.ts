import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Config } from '../config.js';
import { whereMissing } from '../missing.js';
import { type TemplateFile, templateFileSchema } from './schema.js';

/** Where a template comes from. */
export type TemplateSource = 'builtin' | 'site' | 'user';

/** A folder of templates. */
export interface TemplateFolder {
  readonly source: TemplateSource;
  readonly path: string;
}

/** A template, and where it comes from. */
export interface Sourced {
  readonly template: TemplateFile;
  readonly source: TemplateSource;
  readonly path: string;
}

/** A file that is no template, and what is wrong with it. */
export interface BadFile {
  readonly path: string;
  readonly source: TemplateSource;
  readonly problem: string;
}

/** Every template there is, and every file that should have been one. */
export interface Catalogue {
  readonly templates: ReadonlyMap<string, Sourced>;
  readonly bad: readonly BadFile[];
}

const OWN = fileURLToPath(new URL('../../templates', import.meta.url));

/** The folders of a user, the ones that win last: Pilothouse's own, the site's, the user's. */
export function templateFolders({ env, home }: Pick<Config, 'env' | 'home'>): TemplateFolder[] {
  return [
    { source: 'builtin', path: OWN },
    { source: 'site', path: join(env.PILOTHOUSE_SITE || '/etc/pilothouse', 'templates') },
    { source: 'user', path: join(home, 'templates') },
  ];
}

/** Reads them all anew, so that a file that was just written counts. A bad file takes nothing but itself away. */
export async function readCatalogue(folders: readonly TemplateFolder[]): Promise<Catalogue> {
  const templates = new Map<string, Sourced>();
  const bad: BadFile[] = [];
  for (const { source, path: folder } of folders) {
    const names = await namesIn(folder);
    if (!Array.isArray(names)) {
      bad.push({ path: folder, source, problem: names.problem });
      continue;
    }
    for (const name of names) {
      const path = join(folder, name);
      const template = await readTemplate(path);
      if (typeof template === 'string') bad.push({ path, source, problem: template });
      else templates.set(template.name, { template, source, path });
    }
  }
  return { templates, bad };
}

async function namesIn(folder: string): Promise<string[] | { problem: string }> {
  try {
    const names = await readdir(folder).catch(whereMissing<string[]>([]));
    return names.filter((name) => name.endsWith('.json') && !name.startsWith('.')).sort();
  } catch (error) {
    // A folder that cannot be read is told like a file that cannot: it must not keep the others from being used.
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** What was read of each file, as long as it has not changed since. */
const read = new Map<string, { readonly stamp: string; readonly result: TemplateFile | string }>();

/** @returns the template, or what is wrong */
async function readTemplate(path: string): Promise<TemplateFile | string> {
  try {
    const { mtimeMs, ctimeMs, size } = await stat(path);
    const stamp = `${mtimeMs}|${ctimeMs}|${size}`;
    const known = read.get(path);
    if (known?.stamp === stamp) return known.result;
    const result = parseTemplate(basename(path, '.json'), JSON.parse(await readFile(path, 'utf8')));
    read.set(path, { stamp, result });
    return result;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function parseTemplate(name: string, value: unknown): TemplateFile | string {
  const parsed = templateFileSchema.safeParse(value);
  if (!parsed.success) {
    const problem = z.prettifyError(parsed.error).replaceAll('✖ ', '');
    return problem.replaceAll(/\s*\n\s*/g, ' ');
  }
  const { data } = parsed;
  return data.name === name ? data : `its name is "${data.name}"; call the file ${data.name}.json`;
}
