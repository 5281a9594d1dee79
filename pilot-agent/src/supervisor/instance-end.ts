import { join } from 'node:path';
import { type OutputRange, PilothouseError, type ServiceSpec } from '@pilothouse/sdk/shared';
import { log } from '../log.js';
import type { NodeContext } from '../node-context.js';
import { forgetKeys } from './keys.js';

/** Moves what an instance has written into the pilot's folder; undefined: it stays on the node. */
export async function packOutput({ output }: NodeContext, id: string): Promise<OutputRange | undefined> {
  try {
    return await output.pack(id);
  } catch (error) {
    log(`output of ${id} cannot be packed`, error);
    return undefined;
  }
}

/** Removes what is not needed any more of an instance, once its end stands in the journal. */
export function cleanUp(
  { warden, output, pilot }: NodeContext,
  instance: { readonly id: string; readonly spawnId: string; readonly hasOutput: boolean },
): void {
  const { id, spawnId, hasOutput } = instance;
  warden.acknowledge([spawnId]);
  const work = [forgetKeys(join(pilot.folder, 'services'), id)];
  if (hasOutput) work.push(output.discard(id));
  Promise.all(work).catch((error: unknown) => log(`something of ${id} is left on the node`, error));
}

/** Why something ends that somebody has stopped. */
export function wasStopped({ name, id }: ServiceSpec): PilothouseError {
  return new PilothouseError('SERVICE_STOPPED', `service ${name} was stopped`, {
    hint: 'Start it again first.',
    ids: { service: id },
  });
}
