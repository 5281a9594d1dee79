import { join } from 'node:path';
import type { Endpoint, PilotFile, ServiceSpec } from '@pilothouse/sdk/shared';
import { findProgram } from '../launcher/program.js';
import type { SpawnOrder } from '../launcher/warden-client.js';
import type { Grant } from '../scheduler/demand.js';
import { environmentOf } from '../tasks/environment.js';
import { checkNeeds } from './failure.js';
import { keyOf } from './keys.js';
import { fillCommand, fillEnvironment, type Placeholders } from './placeholders.js';
import { freePort, SERVICE_HOST } from './ports.js';

/** What an instance is started from, on a port of its own and with its key. */
export interface Launch {
  readonly order: Pick<SpawnOrder, 'path' | 'argv' | 'env' | 'cwd'>;
  readonly endpoint: Endpoint;
}

/**
 * Chooses the port, makes the key, fills the placeholders and finds the program.
 *
 * @throws PilothouseError MODEL_NOT_FOUND, EXECUTABLE_NOT_FOUND or DIRECTORY_NOT_FOUND, naming the path
 */
export async function prepareLaunch(
  pilot: PilotFile,
  service: ServiceSpec,
  id: string,
  attempt: number,
  grant: Grant,
): Promise<Launch> {
  await checkNeeds(service);
  const secret = service.authenticated ? await keyOf(join(pilot.folder, 'services'), id) : undefined;
  const port = await freePort();
  const values: Placeholders = {
    port,
    host: SERVICE_HOST,
    cores: service.cores,
    apiKeyFile: secret?.file ?? null,
    apiKey: secret?.key ?? null,
  };
  const env = environmentOf(id, attempt, pilot.id, fillEnvironment(service.env, values), grant);
  const argv = fillCommand(service.command, values);
  const path = await findProgram({ command: argv, env, cwd: service.cwd });
  return {
    order: { path, argv, env, cwd: service.cwd },
    endpoint: {
      url: `http://${SERVICE_HOST}:${port}`,
      ports: {},
      keyFile: secret?.file ?? null,
      serverKey: null,
    },
  };
}
