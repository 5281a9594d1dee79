import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { type Environment, PilothouseError } from '@pilothouse/sdk/shared';
import { HOST_NAME } from '../host-name.js';
import { findProgram } from '../launcher/program.js';
import { type Launch, type Launcher, launcherOf } from '../launcher-table/table.js';
import { CHECKPOINT_VARIABLE } from '../tasks/environment.js';
import { fill } from '../tasks/fill.js';
import type { Work } from '../tasks/work.js';
import { checkContainer, inContainer } from './containers.js';
import { enter } from './environments.js';
import { Remembered } from './remembered.js';
import { afterSetup } from './shell.js';

type Variables = Readonly<Record<string, string>>;

/** What a process is started from. */
export interface Plan {
  readonly path: string;
  readonly argv: readonly string[];
  /** The same object for attempts that differ in nothing of it. */
  readonly env: Variables;
  readonly own: Variables;
}

/** A launcher's program and what it says of itself. */
interface FoundLauncher {
  readonly program: string;
  readonly version: string;
}

/**
 * Turns an attempt into one process: environment entered, container and MPI launcher put before the command, a shell only
 * where there are setup lines. Everything is looked up before anything starts, and once for many.
 */
export class Planner {
  readonly #nodeName: (node: number) => string;
  readonly #environments = new Remembered<Variables>();
  readonly #containers = new Remembered<string>();
  readonly #launchers = new Remembered<FoundLauncher>();
  readonly #programs = new Remembered<string>();

  /** @param nodeName - host name of a node of the pilot */
  constructor(nodeName: (node: number) => string = () => HOST_NAME) {
    this.#nodeName = nodeName;
  }

  /**
   * The plan for an attempt; at once where everything is known already.
   *
   * @throws PilothouseError ENVIRONMENT_NOT_FOUND, EXECUTABLE_NOT_FOUND or DIRECTORY_NOT_FOUND, with path and remedy
   */
  plan(work: Work): Plan | Promise<Plan> {
    const { description } = work;
    const { environment, setup, ranks, launcher, usesMpi, checkpoint } = description;
    const plain =
      environment === undefined &&
      setup.length === 0 &&
      ranks === undefined &&
      launcher === undefined &&
      usesMpi !== true &&
      checkpoint === undefined;
    if (!plain) return this.#planWhole(work);
    const argv = fill(description.command ?? [], description);
    const path = this.#program(argv, work.env, work.own.PATH, work.cwd);
    const planned = (found: string): Plan => ({ path: found, argv, env: work.env, own: work.own });
    return path instanceof Promise ? path.then(planned) : planned(path);
  }

  async #planWhole(work: Work): Promise<Plan> {
    const { description, submission } = work;
    const { environment, setup } = description;
    const checkpoint = work.own[CHECKPOINT_VARIABLE];
    if (checkpoint !== undefined) await mkdir(checkpoint, { recursive: true });
    // An environment is entered from the task's own variables, such as a MODULEPATH, and may change them.
    const own = { ...work.own };
    const given = Object.keys(description.env).filter((name) => name in own);
    const base = given.length === 0 ? work.env : { ...work.env, ...description.env };
    for (const name of given) delete own[name];
    const env = environment === undefined ? base : await this.#entered(environment, base, submission.cwd);
    let argv = fill(description.command ?? [], description);
    if (environment !== undefined && 'container' in environment) {
      const program = await this.#container(environment, env, submission.cwd);
      if (setup.length > 0) argv = afterSetup('/bin/sh', setup, argv);
      const names = new Set([...Object.keys(env), ...Object.keys(own)]);
      argv = inContainer(program, environment.container, argv, work.cwd, submission.cwd, names);
      // Container runtimes keep their images and settings there.
      if (process.env.HOME !== undefined) own.HOME ??= process.env.HOME;
    } else if (setup.length === 0) {
      await this.#program(argv, env, undefined, work.cwd);
    }
    const launcher = launcherOf(description, process.env as Variables);
    if (launcher !== undefined) {
      const found = await this.#launcher(launcher, env);
      const launch = this.#launchOf(work, { ...env, ...own }, found.version);
      argv = launcher.command(found.program, argv, launch);
      Object.assign(own, launcher.variables(launch));
    }
    if (setup.length > 0 && !(environment !== undefined && 'container' in environment)) {
      argv = afterSetup('/bin/bash', setup, argv);
    }
    return { path: await this.#program(argv, env, undefined, work.cwd), argv, env, own };
  }

  #launchOf({ description, grant }: Work, env: Variables, version: string): Launch {
    const { ranks = 1, cores, gpus, bind } = description;
    const nodes = (grant?.nodes ?? []).map((share) => ({ name: this.#nodeName(share.node), share }));
    return { ranks, coresPerRank: cores, gpusPerRank: gpus, bind, nodes, env, version };
  }

  #entered(environment: Environment, env: Variables, cwd: string): Variables | Promise<Variables> {
    if ('container' in environment) return env;
    return this.#environments.get(`${JSON.stringify(environment)}\0${cwd}\0${JSON.stringify(env)}`, () =>
      enter(environment, env, cwd),
    );
  }

  #container(
    { container }: Extract<Environment, { container: unknown }>,
    env: Variables,
    cwd: string,
  ): string | Promise<string> {
    const key = `${container.runtime}\0${container.image}\0${cwd}\0${env.PATH ?? ''}`;
    return this.#containers.get(key, () => checkContainer(container, env, cwd));
  }

  #launcher(launcher: Launcher, env: Variables): FoundLauncher | Promise<FoundLauncher> {
    const { program } = launcher;
    if (program === undefined) return { program: '', version: '' };
    return this.#launchers.get(`${program}\0${env.PATH ?? ''}`, async () => {
      const found = await findProgram({ command: [program], env, cwd: '/' }).catch((cause: unknown) => {
        throw new PilothouseError('EXECUTABLE_NOT_FOUND', `${program}, which starts MPI tasks, is not on this node`, {
          hint: launcher.remedy,
          field: 'launcher',
          evidence: `PATH=${env.PATH ?? ''}`,
          cause,
        });
      });
      return { program: found, version: await versionOf(found, env) };
    });
  }

  #program(argv: readonly string[], env: Variables, path: string | undefined, cwd: string): string | Promise<string> {
    const [name = ''] = argv;
    const key = `${name}\0${cwd}\0${path ?? env.PATH ?? ''}`;
    const seen = path === undefined ? env : { ...env, PATH: path };
    return this.#programs.get(key, () => findProgram({ command: argv, env: seen, cwd }));
  }
}

function versionOf(program: string, env: Variables): Promise<string> {
  return new Promise((resolve) => {
    execFile(program, ['--version'], { env: { ...env }, timeout: 20_000 }, (_error, stdout, stderr) => {
      resolve(`${stdout}\n${stderr}`);
    });
  });
}
