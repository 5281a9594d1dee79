import { readFile } from 'node:fs/promises';
import {
  type Endpoint,
  type Method,
  PilothouseError,
  type Probe,
  type ProbeResult,
  type ProbeRole,
  type ServiceSpec,
  toSeconds,
} from '@pilothouse/sdk/shared';
import type { Listeners } from './listeners.js';
import type { OutputWatch } from './output-watch.js';
import { portsOf } from './placeholders.js';
import { probeCommand } from './probes/command.js';
import { nothingListens, probeHttp } from './probes/http.js';
import { Look } from './probes/result.js';
import { probeTcp } from './probes/tcp.js';
import { probeZmq } from './probes/zmq.js';
import type { ServiceProgram } from './program.js';

/** What is looked at: the running process of one attempt. */
export interface Looked {
  readonly service: ServiceSpec;
  readonly endpoint: Endpoint;
  /** First process, which leads its session. */
  readonly pid: number;
  /** Variable `NAME=value` in the environment of everything that belongs to it. */
  readonly mark: string;
  readonly output: OutputWatch;
  readonly listeners: Listeners;
  /** A command in the environment of the instance. */
  command(command: readonly string[]): Promise<ServiceProgram>;
}

/** What a service of our own says it has to do. */
export interface OwnLoad {
  readonly outstanding: number;
  readonly queued: number;
}

/** Looks at one instance, in the five ways there are. */
export class Looks {
  readonly #looked: Looked;
  readonly #ports: ReadonlyMap<string, number>;
  /** The latest result of each probe. */
  readonly results: Partial<Record<ProbeRole, ProbeResult>> = {};
  #load: OwnLoad | undefined;
  #methods: readonly Method[] | undefined;

  /** @throws PilothouseError INVALID_DESCRIPTION for a pattern that is none */
  constructor(looked: Looked) {
    this.#looked = looked;
    this.#ports = portsOf(looked.endpoint);
    for (const [role, probe] of Object.entries(looked.service.probes)) {
      if (probe?.pattern === undefined) continue;
      try {
        looked.output.await(probe.pattern);
      } catch (cause) {
        throw new PilothouseError('INVALID_DESCRIPTION', `the pattern "${probe.pattern}" is no regular expression`, {
          hint: 'Escape what is meant as it stands, such as \\( or \\[.',
          field: `probes.${role}.pattern`,
          cause,
        });
      }
    }
  }

  /** What it had to do when it last said so; undefined: it never has. */
  get load(): OwnLoad | undefined {
    return this.#load;
  }

  get methods(): readonly Method[] | undefined {
    return this.#methods;
  }

  probe(role: ProbeRole): Probe | null {
    return this.#looked.service.probes[role];
  }

  /** Looks once, and keeps what was seen. Never rejects: what goes wrong is the result. */
  async look(role: ProbeRole): Promise<ProbeResult> {
    const probe = this.probe(role);
    if (probe === null) throw new Error(`there is no ${role} probe`);
    const result = await this.#lookBy(probe);
    this.results[role] = result;
    return result;
  }

  /**
   * Resolves when a look could have another result than that nobody is there, or when the signal comes.
   */
  async whenWorthIt(role: ProbeRole, signal: AbortSignal): Promise<void> {
    const probe = this.probe(role);
    if (probe?.pattern !== undefined) {
      this.results[role] ??= new Look().result(false, notYet(probe.pattern));
      await this.#looked.output.whenMatched(probe.pattern, signal);
      return;
    }
    const port = probe && this.#portOf(probe);
    if (port === null || port === undefined) return;
    this.results[role] ??= new Look().result(false, nothingListens(port));
    await this.#looked.listeners.whenListening(port, signal);
  }

  /**
   * Makes sure that nobody else has taken one of its ports.
   *
   * @throws PilothouseError PORT_IN_USE
   */
  async checkOwner(): Promise<void> {
    const { listeners, pid, mark, service } = this.#looked;
    for (const port of this.#ports.values()) {
      if ((await listeners.ownerOf(port, pid, mark)) !== 'foreign') continue;
      const text = `${service.name}: port ${port} was taken by another process`;
      throw new PilothouseError('PORT_IN_USE', text, { hint: 'It is started on another port by itself.' });
    }
  }

  /** The key of the instance; null: none is asked for. */
  async key(): Promise<string | null> {
    const { keyFile } = this.#looked.endpoint;
    return keyFile === null ? null : (await readFile(keyFile, 'utf8')).trim();
  }

  async #lookBy(probe: Probe): Promise<ProbeResult> {
    const { service, endpoint, output } = this.#looked;
    const timeout = toSeconds(probe.timeout) * 1000;
    const port = this.#portOf(probe);
    try {
      if (probe.pattern !== undefined) {
        const line = output.matched(probe.pattern);
        return new Look().result(line !== undefined, line?.slice(0, 200) ?? notYet(probe.pattern));
      }
      if (probe.command !== undefined) {
        return await probeCommand(await this.#looked.command(probe.command), timeout);
      }
      if (port === undefined) return new Look().result(false, `there is no port named ${probe.endpoint}`);
      if (probe.tcp) return await probeTcp(port, timeout);
      if (probe.zmq) {
        const {
          probe: result,
          load,
          methods,
        } = await probeZmq(endpoint, service.name, timeout, this.#methods === undefined);
        this.#load = load;
        this.#methods ??= methods;
        return result;
      }
      return await probeHttp({ port, path: probe.http ?? '/', key: await this.key(), timeout });
    } catch (error) {
      return new Look().result(false, error instanceof Error ? error.message : String(error));
    }
  }

  #portOf({ pattern, command, endpoint }: Probe): number | undefined {
    if (pattern !== undefined || command !== undefined) return undefined;
    return endpoint === undefined ? this.#ports.values().next().value : this.#ports.get(endpoint);
  }
}

function notYet(pattern: string): string {
  return `no line matches ${pattern} yet`;
}
