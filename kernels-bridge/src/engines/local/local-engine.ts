import { join } from 'node:path';
import {
  type EngineReport,
  type ErrorData,
  formatBytes,
  formatSeconds,
  pilotStates,
  type Reason,
  toErrorData,
} from '@pilothouse/sdk/internal';
import type { Clock } from '../../clock.js';
import type { Config } from '../../config.js';
import type { Logger } from '../../logger.js';
import type { Engine, EngineEvent, EnginePilot, Examination, Explanation, KnownPilot, PilotSpec } from '../engine.js';
import type { AgentPaths } from './agent-paths.js';
import { LocalHoldings } from './holdings.js';
import { checkLimits } from './limits.js';
import { inspectMachine, type Machine } from './machine.js';
import {
  hasJournal,
  preparePilotFolder,
  readGpus,
  readLaunchFile,
  writeConnectFile,
  writeLaunchFile,
} from './pilot-folder.js';
import { processesOf } from './processes.js';
import {
  bootId,
  findPython,
  startWarden,
  type WardenStart,
  wardenAnswers,
  wardenCommand,
  wardenTail,
} from './warden.js';

/** Pilots on this machine: what this process was given, shared out first come, first served. */
export class LocalEngine implements Engine {
  readonly name = 'local';
  readonly #machine: Machine;
  readonly #holdings: LocalHoldings;
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  readonly #known = new Map<string, PilotSpec>();
  #python: Promise<string> | undefined;

  constructor(
    private readonly config: Config,
    private readonly epoch: number,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly paths: AgentPaths,
  ) {
    this.#machine = inspectMachine(config.env);
    this.#holdings = new LocalHoldings(this.#machine);
    // Found now, so that the first pilot need not wait for it; a failure is told by the pilot that needs it.
    this.#findPython().catch(() => undefined);
  }

  capabilities(): Promise<EngineReport> {
    const machine = this.#machine;
    const off = machine.loginNode !== null && !this.config.allowLoginNode;
    return Promise.resolve({
      name: this.name,
      title: 'This machine',
      available: !off,
      reason: off ? `${machine.loginNode}; start a job first, or allow it with PILOTHOUSE_ALLOW_LOGIN_NODE=1` : null,
      limits: {
        cores: machine.cores,
        gpus: machine.gpus,
        memory: machine.memory,
        nodes: 1,
        runtime: machine.endsAt === null ? null : Math.max(0, Math.floor((machine.endsAt - this.clock.now()) / 1000)),
      },
      held: this.#holdings.held(),
      evidence: machine.evidence,
      endsAt: machine.endsAt === null ? null : new Date(machine.endsAt).toISOString(),
    });
  }

  async check(spec: PilotSpec): Promise<void> {
    checkLimits(spec, await this.capabilities());
  }

  async preview(spec: PilotSpec): Promise<{ sentence: string; script: string }> {
    const parts = [
      `${spec.cores} ${spec.cores === 1 ? 'core' : 'cores'}`,
      ...(spec.gpus > 0 ? [`${spec.gpus} ${spec.gpus === 1 ? 'GPU' : 'GPUs'}`] : []),
      ...(spec.memory === null ? [] : [formatBytes(spec.memory)]),
    ];
    const wait = this.#holdings.reason(spec);
    const when = wait === null ? 'starts at once' : wait;
    return {
      sentence: `${parts.join(' and ')} of this machine for ${formatSeconds(spec.runtime)}; ${when}`,
      script: wardenCommand(await this.#start(spec.id))
        .map(quote)
        .join(' '),
    };
  }

  async submit(spec: PilotSpec, key: string): Promise<void> {
    if (this.#known.has(key)) return;
    this.#known.set(key, spec);
    this.#holdings.enqueue(spec);
    await this.#startWhatFits();
    // Work for it can be spooled although it waits.
    if (this.#holdings.waits(spec.id)) await this.#prepare(spec);
  }

  cancel(id: string): Promise<boolean> {
    const waited = this.#holdings.dequeue(id);
    if (waited) this.#explainQueue();
    return Promise.resolve(waited);
  }

  async adopt(pilots: readonly KnownPilot[]): Promise<void> {
    for (const { spec, state, endsAt } of pilots) {
      if (pilotStates.isFinal(state) || this.#known.has(spec.id)) continue;
      this.#known.set(spec.id, spec);
      const launch = await readLaunchFile(this.#folder(spec.id));
      const started = launch !== null && ((await hasJournal(this.#folder(spec.id))) || (await this.#mayRun(spec.id)));
      if (started) {
        this.#holdings.hold(spec, endsAt, await readGpus(this.#folder(spec.id)));
        await writeConnectFile(this.#folder(spec.id), this.#connect());
      } else {
        // The bridge ended between taking the pilot and starting it: nothing of it ever ran.
        await this.#prepare(spec);
        this.#holdings.enqueue(spec);
      }
    }
    await this.#startWhatFits();
  }

  release(id: string): void {
    if (!this.#known.delete(id)) return;
    this.#holdings.release(id);
    this.#startWhatFits().catch((error: unknown) => this.log.error('a waiting pilot could not be started', error));
  }

  expectEnd(id: string, endsAt: string): void {
    if (this.#holdings.expectEnd(id, endsAt)) this.#explainQueue();
  }

  list(): EnginePilot[] {
    return this.#holdings.list();
  }

  events(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  explain(id: string): Explanation | null {
    const spec = this.#known.get(id);
    if (spec === undefined) return null;
    const held = this.#holdings.held();
    const evidence = [`this machine: ${this.#machine.evidence}`, `held: ${held.cores} cores, ${held.gpus} GPUs`];
    const waits = this.#holdings.waits(id) ? this.#holdings.reason(spec) : null;
    return { text: waits ?? 'its processes have been started on this machine', evidence };
  }

  async examine(id: string): Promise<Examination> {
    const launch = await readLaunchFile(this.#folder(id));
    if (launch === null) return { verdict: 'unknown', evidence: 'it was never launched' };
    if (launch.host !== this.config.host) {
      return { verdict: 'unknown', evidence: `it was launched on ${launch.host}, which cannot be seen from here` };
    }
    if (launch.bootId !== (await bootId())) return { verdict: 'gone', evidence: `${launch.host} was restarted since` };
    if (await wardenAnswers(this.config.runtimeDir, id)) return { verdict: 'alive', evidence: 'its warden answers' };
    const { attendants, work } = await processesOf(id, this.#folder(id), this.paths.wardenScript);
    if (attendants.length > 0) {
      return {
        verdict: 'unknown',
        evidence: `processes ${attendants.join(', ')} look after it, and its socket refuses`,
      };
    }
    if (work.length > 0) {
      return {
        verdict: 'unattended',
        evidence: `processes ${work.join(', ')} are its own, and nothing looks after them`,
      };
    }
    const tail = await wardenTail(this.config.runtimeDir, id);
    const gone = `no process on ${launch.host} carries its id, and its socket refuses`;
    return { verdict: 'gone', evidence: tail === '' ? gone : `${gone}; last words:\n${tail}` };
  }

  /** A warden reads what those before it wrote down, so the second one goes on where the first was killed. */
  async attend(id: string): Promise<void> {
    await startWarden(await this.#start(id));
  }

  async #mayRun(id: string): Promise<boolean> {
    return (await this.examine(id)).verdict !== 'gone';
  }

  /** Starts those at the head of the queue that fit; resolves once they run by themselves, whatever becomes of the bridge. */
  async #startWhatFits(): Promise<void> {
    const launches: Promise<void>[] = [];
    for (let spec = this.#holdings.takeNext(); spec !== null; spec = this.#holdings.takeNext()) {
      const pilot = spec;
      this.#tell({ pilot: pilot.id, state: 'STARTING', reason: null, error: null });
      launches.push(this.#launch(pilot).catch((error: unknown) => this.#fail(pilot.id, error)));
    }
    this.#explainQueue();
    await Promise.all(launches);
  }

  async #launch(pilot: PilotSpec): Promise<void> {
    const { id } = pilot;
    await this.#prepare(pilot);
    const start = await this.#start(id);
    const launchedAt = this.clock.iso();
    await writeLaunchFile(this.#folder(id), { v: 1, host: this.config.host, bootId: await bootId(), launchedAt });
    await startWarden(start);
  }

  #fail(id: string, error: unknown): void {
    const data: ErrorData = { ...toErrorData(error), ids: { pilot: id } };
    this.log.error(`pilot ${id} could not be started`, error);
    this.#tell({ pilot: id, state: 'FAILED', reason: null, error: data });
    this.release(id);
  }

  #explainQueue(): void {
    for (const { spec, text } of this.#holdings.waiting()) {
      const reason: Reason = { code: 'WAITS_FOR_RESOURCES', text, since: this.clock.iso() };
      this.#tell({ pilot: spec.id, state: 'QUEUED', reason, error: null });
    }
  }

  #tell(event: EngineEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #prepare(spec: PilotSpec): Promise<void> {
    return preparePilotFolder(this.#pilotFile(spec), this.#connect());
  }

  #pilotFile(spec: PilotSpec) {
    return {
      v: 1 as const,
      id: spec.id,
      name: spec.name,
      engine: this.name,
      cores: spec.cores,
      gpus: spec.gpus,
      ...(spec.gpus > 0 ? { gpuIds: this.#holdings.gpusOf(spec.id), gpuVendor: this.#machine.gpuVendor } : {}),
      // Whoever asks for no amount has what there is, and no task gets more than that.
      memory: spec.memory ?? this.#machine.memory,
      runtime: spec.runtime,
      ...(spec.idleAfter === undefined ? {} : { idleAfter: spec.idleAfter }),
      cpus: this.#holdings.cpusOf(spec.id),
      createdAt: spec.createdAt,
      folder: this.#folder(spec.id),
      runtimeDir: this.config.runtimeDir,
    };
  }

  #connect() {
    return { v: 1 as const, epoch: this.epoch, addresses: [`ipc://${this.config.agentsSocket}`] };
  }

  async #start(id: string): Promise<WardenStart> {
    return {
      pilot: id,
      folder: this.#folder(id),
      runtimeDir: this.config.runtimeDir,
      home: this.config.home,
      userHome: this.config.userHome,
      node: this.config.node,
      agentMain: this.paths.agentMain,
      wardenScript: this.paths.wardenScript,
      python: await this.#findPython(),
      umask: this.config.umask,
    };
  }

  /** Looked for once; again only after it was not found. */
  #findPython(): Promise<string> {
    this.#python ??= findPython(this.config.env).catch((error: unknown) => {
      this.#python = undefined;
      throw error;
    });
    return this.#python;
  }

  #folder(id: string): string {
    return join(this.config.home, 'pilots', id);
  }
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
