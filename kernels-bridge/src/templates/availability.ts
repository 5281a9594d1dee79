import type { Config } from '../config.js';
import { type DemoSearch, findDemo } from './demo-environment.js';
import { atLeast, type Machine, thisMachine } from './machine.js';
import type { TemplateFile } from './schema.js';

/** What is looked at to say whether a template can be started here. */
export interface Surroundings {
  readonly demo: DemoSearch;
  readonly machine: () => Promise<Machine>;
}

export function surroundingsOf({ env, launcher }: Pick<Config, 'env' | 'launcher'>): Surroundings {
  return { demo: { given: env.PILOTHOUSE_DEMO_ENV, launcher }, machine: thisMachine };
}

/** What a template's finder has found here, by `finder.word`; a text says why there is nothing. */
export async function look(
  template: TemplateFile,
  { demo, machine }: Surroundings,
): Promise<Readonly<Record<string, string>> | string> {
  const refused = template.machine === undefined ? null : machineRefuses(template.machine, await machine());
  if (refused !== null) return refused;
  if (template.finds === undefined) return {};
  const found = await findDemo(demo);
  if (found === null) return NOT_INSTALLED;
  return { 'demo.server': found.server, 'demo.model': found.model, 'demo.libraries': found.libraries.join(':') };
}

const NOT_INSTALLED =
  'The demo model is not installed here. Run the set-up again (npm start), or name a Python environment that has it in PILOTHOUSE_DEMO_ENV.';

function machineRefuses(
  needs: NonNullable<TemplateFile['machine']>,
  { arch, glibc, cpuFlags }: Machine,
): string | null {
  const attach = 'Attach a model server that runs elsewhere instead.';
  if (needs.arch !== undefined && arch !== needs.arch) {
    return `Its server is built for ${needs.arch === 'x64' ? 'x86_64' : needs.arch}, and this is ${arch}. ${attach}`;
  }
  if (needs.glibc !== undefined) {
    if (glibc === undefined) return `Its server needs glibc, and this system has another C library. ${attach}`;
    if (!atLeast(glibc, needs.glibc)) {
      return `Its server needs glibc ${needs.glibc} or newer, and this system has ${glibc}. ${attach}`;
    }
  }
  const missing = needs.cpuFlags.filter((flag) => !cpuFlags.has(flag));
  return missing.length === 0 ? null : `Its server needs a CPU with ${missing.join(', ')}. ${attach}`;
}
