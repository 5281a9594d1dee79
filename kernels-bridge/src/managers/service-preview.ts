import {
  type Origin,
  PilothouseError,
  type PilotRecord,
  type ResolvedServiceDescription,
} from '@pilothouse/sdk/internal';
import type { Context } from '../context.js';
import {
  type CompleteDescription,
  type Finding,
  findings,
  gpuMemoryHere,
  type LaunchPlan,
  type TemplateRegistry,
} from '../templates/index.js';
import { resolveDirectory } from './environment.js';
import { checkFits, demandOf } from './tasks/demand.js';

/** What would be run, and what a look beforehand has found. */
export interface Preview {
  sentence: string;
  command: string[];
  findings: Pick<Finding, 'ok' | 'text' | 'remedy'>[];
}

/** Says what a description means before anything is started. */
export async function previewService(
  context: Context,
  templates: TemplateRegistry,
  pilot: PilotRecord | undefined,
  asked: ResolvedServiceDescription,
): Promise<Preview> {
  const place = { cwd: context.config.userHome, home: context.config.userHome };
  const description = await templates.complete(asked);
  const open = { ...description, allowUnauthenticated: true };
  const plan = await templates.plan(open, place);
  const found: Finding[] = [];
  if (!plan.authenticated && !description.allowUnauthenticated) {
    found.push({
      ok: false,
      text: 'its server asks for no key: everybody on the node could use it',
      remedy: 'Allow a server without a key, or take one that asks for one.',
    });
  }
  if (pilot !== undefined) found.push(fit(description, pilot));
  found.push(...(await lookBefore(context, plan, description, pilot, await gpuMemoryHere())));
  return {
    sentence: sentenceOf(description, pilot),
    command: [...plan.command],
    findings: found.map(({ ok, text, remedy }) => ({ ok, text, remedy })),
  };
}

/**
 * Refuses what the server would refuse, or die of, where that can be seen from here.
 *
 * @throws PilothouseError MODEL_NOT_FOUND, INVALID_DESCRIPTION with the parameter
 */
export async function refuseHopeless(
  context: Context,
  plan: LaunchPlan,
  description: CompleteDescription,
  pilot: PilotRecord,
): Promise<void> {
  if (plan.checks.weights?.isPath !== true) return;
  const fatal = (await lookBefore(context, plan, description, pilot, [])).find((one) => one.fatal !== undefined);
  if (fatal === undefined) return;
  const isWeights = fatal.fatal === `params.${plan.checks.weights.field}`;
  throw new PilothouseError(isWeights ? 'MODEL_NOT_FOUND' : 'INVALID_DESCRIPTION', fatal.text, {
    ...(fatal.remedy === null ? {} : { hint: fatal.remedy }),
    ...(fatal.fatal === undefined ? {} : { field: fatal.fatal }),
  });
}

/** Where the relative paths of a caller's description start. */
export function placeOf({ config }: Context, origin: Origin, cwd: string | undefined): { cwd: string; home: string } {
  return { cwd: resolveDirectory(config, origin, cwd), home: config.userHome };
}

function lookBefore(
  { config }: Context,
  plan: LaunchPlan,
  { resources, env }: CompleteDescription,
  pilot: PilotRecord | undefined,
  gpuMemory: readonly number[],
): Promise<Finding[]> {
  const sameFiles = pilot === undefined || pilot.engine === 'local';
  return findings(plan, {
    gpus: resources.gpus,
    gpuMemory: sameFiles ? gpuMemory : [],
    sameFiles,
    path: env.PATH ?? config.env.PATH ?? null,
    env: config.env,
    home: config.userHome,
  });
}

function fit({ resources }: CompleteDescription, pilot: PilotRecord): Finding {
  try {
    checkFits(demandOf(resources), pilot, 'resources.');
    return { ok: true, text: `pilot "${pilot.name}" can hold an instance`, remedy: null };
  } catch (error) {
    if (!(error instanceof PilothouseError)) throw error;
    return { ok: false, text: error.message, remedy: error.hint ?? null };
  }
}

function sentenceOf(description: CompleteDescription, pilot: PilotRecord | undefined): string {
  const { resources, instances } = description;
  const { cores, gpus } = resources;
  const each = [
    `${cores} ${cores === 1 ? 'core' : 'cores'}`,
    ...(gpus > 0 ? [`${gpus} GPU${gpus > 1 ? 's' : ''}`] : []),
  ];
  const count = typeof instances === 'number' ? `${instances}` : `${instances.min} to ${instances.max}`;
  const word = instances === 1 ? 'instance' : 'instances';
  const name = description.name ?? description.template ?? 'service';
  const where = pilot === undefined ? '' : ` on pilot "${pilot.name}"`;
  const by = typeof instances === 'number' ? '' : ', by what there is to do';
  return `Starts "${name}"${where}: ${count} ${word} with ${each.join(' and ')}${instances === 1 ? '' : ' each'}${by}.`;
}
