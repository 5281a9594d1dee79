import type { ServiceSpec } from '@pilothouse/sdk/shared';
import { checkContainer, inContainer } from '../environments/containers.js';
import { enter } from '../environments/environments.js';
import { Remembered } from '../environments/remembered.js';
import { afterSetup } from '../environments/shell.js';
import { findProgram } from '../launcher/program.js';

type Variables = Readonly<Record<string, string>>;

/** What a process of a service is started from. */
export interface ServiceProgram {
  readonly path: string;
  readonly argv: readonly string[];
  readonly env: Variables;
  readonly cwd: string;
}

/** What is to run, with all words in braces filled in. */
export interface Command {
  readonly argv: readonly string[];
  readonly setup: readonly string[];
  readonly env: Variables;
  /** Files that it must see in a container too. */
  readonly files: readonly string[];
}

/** Puts commands of services into their environments. What is looked up is looked up once for many instances. */
export class Programs {
  readonly #entered = new Remembered<Variables>();
  readonly #containers = new Remembered<string>();
  readonly #found = new Remembered<string>();

  /** @throws PilothouseError ENVIRONMENT_NOT_FOUND, EXECUTABLE_NOT_FOUND or DIRECTORY_NOT_FOUND, with path and remedy */
  async of({ environment, env: given, cwd }: ServiceSpec, command: Command): Promise<ServiceProgram> {
    const { setup, files } = command;
    let { argv } = command;
    let env = { ...command.env };
    if (environment !== null && 'container' in environment) {
      const { container } = environment;
      const key = `${container.runtime}\0${container.image}\0${cwd}\0${env.PATH ?? ''}`;
      const program = await this.#containers.get(key, () => checkContainer(container, env, cwd));
      if (setup.length > 0) argv = afterSetup('/bin/sh', setup, argv);
      const bound = { ...container, binds: [...container.binds, ...files.map((file) => `${file}:${file}`)] };
      argv = inContainer(program, bound, argv, cwd, cwd, Object.keys(env));
      // Container runtimes keep their images and settings there.
      if (process.env.HOME !== undefined) env.HOME ??= process.env.HOME;
    } else {
      if (environment !== null) {
        // Entered with what the description gives alone: what differs between instances is not of the environment's.
        const key = `${JSON.stringify(environment)}\0${cwd}\0${JSON.stringify(given)}`;
        const entered = await this.#entered.get(key, () => enter(environment, given, cwd));
        env = { ...env, ...changed(given, entered) };
        for (const name of Object.keys(given)) if (!(name in entered)) delete env[name];
      }
      if (setup.length > 0) {
        argv = afterSetup('/bin/bash', setup, argv);
      }
    }
    const key = `${argv[0]}\0${cwd}\0${env.PATH ?? ''}`;
    const path = await this.#found.get(key, () => findProgram({ command: argv, env, cwd }));
    return { path, argv, env, cwd };
  }
}

/** Variables that differ from those given. */
function changed(given: Variables, entered: Variables): Record<string, string> {
  return Object.fromEntries(Object.entries(entered).filter(([name, value]) => given[name] !== value));
}
