import { join } from 'node:path';
import type { Endpoint, PilotFile, Port, ServiceSpec } from '@pilothouse/sdk/shared';
import type { Grant } from '../scheduler/demand.js';
import { environmentOf } from '../tasks/environment.js';
import { checkNeeds } from './failure.js';
import { curveOf, keyOf } from './keys.js';
import { checkSecrets, fillCommand, fillEnvironment, fillSetup, type Placeholders, portsOf } from './placeholders.js';
import { type Ports, SERVICE_HOST } from './ports.js';
import type { Command, Programs, ServiceProgram } from './program.js';

/** Which start of which instance. */
export interface Start {
  readonly service: ServiceSpec;
  readonly id: string;
  readonly index: number;
  readonly attempt: number;
  readonly grant: Grant;
}

/** What the starts of all instances of a pilot share. */
export interface LaunchTools {
  readonly pilot: PilotFile;
  readonly ports: Ports;
  readonly programs: Programs;
}

/** What an instance is started from, on ports of its own and with its key. */
export interface Launch {
  readonly program: ServiceProgram;
  readonly endpoint: Endpoint;
}

/**
 * Chooses the ports, makes the keys, fills the words in braces, enters the environment and finds the program.
 *
 * @throws PilothouseError MODEL_NOT_FOUND, EXECUTABLE_NOT_FOUND, DIRECTORY_NOT_FOUND, ENVIRONMENT_NOT_FOUND, naming the
 * path; PORT_IN_USE for a port that the description names; INVALID_DESCRIPTION
 */
export async function prepareLaunch(tools: LaunchTools, start: Start): Promise<Launch> {
  const { service, id } = start;
  checkSecrets(service);
  await checkNeeds(service);
  const folder = join(tools.pilot.folder, 'services');
  const secret = asksForKey(service) ? await keyOf(folder, id) : undefined;
  const curve = service.api === 'zeromq' ? await curveOf(folder, id) : undefined;
  const chosen = await choosePorts(service.ports, tools.ports);
  const [[first = ''] = []] = Object.entries(chosen);
  const endpoint: Endpoint = {
    url: chosen[first] ?? '',
    ports: chosen,
    keyFile: secret?.file ?? null,
    serverKey: curve?.publicKey ?? null,
  };
  try {
    return { program: await programOf(tools, start, endpoint, service.command), endpoint };
  } catch (error) {
    giveBackPorts(tools.ports, endpoint);
    throw error;
  }
}

/** A command as it runs in the environment of an instance: the instance's own, or one that looks at it. */
export async function programOf(
  { pilot, programs }: LaunchTools,
  { service, id, index, attempt, grant }: Start,
  endpoint: Endpoint,
  command: readonly string[],
): Promise<ServiceProgram> {
  const folder = join(pilot.folder, 'services');
  const key = endpoint.keyFile === null ? null : (await keyOf(folder, id)).key;
  const curve = endpoint.serverKey === null ? undefined : await curveOf(folder, id);
  const values: Placeholders = {
    ports: portsOf(endpoint),
    cores: service.cores,
    gpus: grant.gpus.length,
    instance: index,
    apiKeyFile: endpoint.keyFile,
    apiKey: key,
  };
  const own = curve === undefined ? {} : ofZeromq(service, endpoint, curve.file);
  const given = { ...own, ...fillEnvironment(service.env, values) };
  const filled: Command = {
    argv: fillCommand(command, values),
    setup: fillSetup(service.setup, values),
    env: environmentOf(id, attempt, pilot.id, given, grant),
    files: [endpoint.keyFile, curve?.file].filter((file) => file !== null && file !== undefined),
  };
  return programs.of(service, filled);
}

/** Frees the ports of an instance whose process is gone. */
export function giveBackPorts(ports: Ports, endpoint: Endpoint): void {
  for (const port of portsOf(endpoint).values()) ports.giveBack(port);
}

/** By what a service of our own finds its address and its keys. */
function ofZeromq({ name }: ServiceSpec, { url, keyFile }: Endpoint, curveFile: string): Record<string, string> {
  return {
    PILOTHOUSE_SERVICE_NAME: name,
    PILOTHOUSE_SERVICE_ADDRESS: url,
    ...(keyFile === null ? {} : { PILOTHOUSE_SERVICE_KEY_FILE: keyFile }),
    PILOTHOUSE_SERVICE_CURVE_FILE: curveFile,
  };
}

function asksForKey({ authenticated, api }: ServiceSpec): boolean {
  return authenticated || api === 'zeromq';
}

async function choosePorts(wanted: readonly Port[], ports: Ports): Promise<Record<string, string>> {
  const chosen: Record<string, string> = {};
  const taken: number[] = [];
  try {
    for (const { name, protocol, port } of wanted) {
      const number = port === undefined ? await ports.free() : await ports.fixed(port);
      taken.push(number);
      chosen[name] = `${protocol === 'http' ? 'http' : 'tcp'}://${SERVICE_HOST}:${number}`;
    }
    return chosen;
  } catch (error) {
    for (const port of taken) ports.giveBack(port);
    throw error;
  }
}
