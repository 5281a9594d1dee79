import { spawn } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '@pilothouse/sdk/internal';
import {
  type JournalRecord,
  journalRecordSchema,
  type PilotFile,
  PROBE_KINDS,
  type Probe,
  probeSchema,
  routingSchema,
  type ServiceSpec,
  type SpooledTask,
  type SpoolRecord,
  type TaskBatch,
} from '@pilothouse/sdk/shared';
import type { z } from 'zod';
import { agentMain, wardenScript } from '../src/paths.js';

const LIB_MAIN = agentMain.replace('/src/main.js', '/lib/main.js');
const PATH = process.env.PATH ?? '/usr/bin:/bin';
type WithoutStamp<T> = T extends unknown ? Omit<T, 'seq' | 'epoch' | 't'> : never;
export type SpoolEntry = WithoutStamp<SpoolRecord>;
type TaskOptions = Omit<SpooledTask['entry'], 'services' | 'after' | 'env' | 'cwd'> &
  Pick<SpooledTask, 'services' | 'after'> & { env?: Record<string, string>; cwd?: string };

/** A pilot with its own home and runtime folder, run by the real warden and agent. */
export class TestPilot {
  readonly id = newId('pilot');
  readonly home = mkdtempSync(join(tmpdir(), 'ph'));
  readonly runtimeDir = mkdtempSync(join(tmpdir(), 'pr'));
  readonly folder = join(this.home, 'pilots', this.id);
  readonly work = join(this.home, 'work');
  #seq = 0;
  #epoch = 1;

  constructor(options: Partial<PilotFile> = {}) {
    for (const name of ['spool', 'journal', 'output', 'services'])
      mkdirSync(join(this.folder, name), { recursive: true });
    mkdirSync(join(this.runtimeDir, 'p', this.id), { recursive: true });
    mkdirSync(this.work);
    const file: PilotFile = {
      v: 1,
      id: this.id,
      name: 'test',
      engine: 'local',
      cores: 24,
      gpus: 0,
      memory: null,
      runtime: 600,
      cpus: null,
      createdAt: new Date().toISOString(),
      folder: this.folder,
      runtimeDir: this.runtimeDir,
      ...options,
    };
    writeFileSync(join(this.folder, 'pilot.json'), JSON.stringify(file));
  }

  /** Starts the warden, detached, as an engine does. */
  start(slack = 60): void {
    const log = openSync(this.logPath, 'a');
    const argv = [
      '-I',
      '-S',
      '-E',
      wardenScript,
      this.folder,
      '--slack',
      String(slack),
      '--',
      process.execPath,
      LIB_MAIN,
      this.folder,
    ];
    const env = {
      PATH,
      HOME: this.home,
      LANG: 'C.UTF-8',
      PILOTHOUSE_HOME: this.home,
      PILOTHOUSE_RUNTIME_DIR: this.runtimeDir,
    };
    spawn('/usr/bin/python3', argv, { stdio: ['ignore', log, log], detached: true, env }).unref();
  }

  get logPath(): string {
    return join(this.runtimeDir, 'p', this.id, 'warden.log');
  }

  /** Appends to the spool as a bridge does; gives the records as written. */
  spool(entries: readonly SpoolEntry[], epoch = this.#epoch, from?: number): SpoolRecord[] {
    this.#epoch = Math.max(epoch, this.#epoch);
    if (from !== undefined) this.#seq = from - 1;
    const records = entries.map(
      (entry) => ({ seq: ++this.#seq, epoch, t: new Date().toISOString(), ...entry }) as SpoolRecord,
    );
    const text = records.map((record) => `${JSON.stringify(record)}\n`).join('');
    appendFileSync(join(this.folder, 'spool', `${epoch}.jsonl`), text);
    return records;
  }

  /** One task of its own, as bridges spool it. `services` and `after` are ids; `env` is the caller's. */
  task(
    id: string,
    command: readonly string[],
    { services, after, env, cwd, ...entry }: TaskOptions = {},
  ): SpoolEntry & { type: 'tasks' } {
    const spooled = {
      id,
      name: id,
      entry: { command: [...command], ...entry },
      ...(services ? { services } : {}),
      ...(after ? { after } : {}),
    };
    return this.batch([spooled], { env: env ?? { PATH }, cwd: cwd ?? this.work });
  }

  /** Tasks that were submitted together. */
  batch(tasks: TaskBatch['tasks'], more: Partial<TaskBatch> = {}): SpoolEntry & { type: 'tasks' } {
    return { type: 'tasks', batch: { set: null, template: {}, env: { PATH }, cwd: this.work, tasks, ...more } };
  }

  service(id: string, command: readonly string[], more: Partial<ServiceSpec> = {}): SpoolEntry {
    const spec: ServiceSpec = {
      id,
      name: id,
      command: [...command],
      env: { PATH },
      cwd: this.work,
      cores: 1,
      gpus: 0,
      memory: null,
      instances: [{ id: `${id}.instance`, index: 1 }],
      api: 'openai',
      environment: null,
      setup: [],
      scale: null,
      ports: [{ name: 'http', protocol: 'http' }],
      probes: { startup: null, readiness: probe({}), liveness: probe({ failures: 20 }) },
      startTimeout: 20,
      restarts: { max: 2, first: 1, factor: 2, longest: 30 },
      warmUp: null,
      routing: { ...routingSchema.parse({}), concurrency: 64 },
      lifetime: { until: null, idle: null },
      after: [],
      before: [],
      authenticated: true,
      needs: [],
      model: null,
      files: [],
      progress: [],
      ...more,
    };
    return { type: 'service', service: spec };
  }

  /** Everything in the journal, all epochs, checked; a torn last line is left out. */
  journal(): JournalRecord[] {
    const folder = join(this.folder, 'journal');
    const names = readdirSync(folder).sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
    return names.flatMap((name) => {
      const text = readFileSync(join(folder, name), 'utf8');
      const whole = text.slice(0, text.lastIndexOf('\n') + 1);
      return whole
        .split('\n')
        .filter(Boolean)
        .map((line) => journalRecordSchema.parse(JSON.parse(line)));
    });
  }

  tasks(id: string) {
    return this.journal().flatMap((record) => (record.type === 'task' && record.id === id ? [record] : []));
  }

  /** All states that a task was in, also those that were told along with the next. */
  statesOf(id: string): string[] {
    return this.tasks(id).flatMap(({ passed = [], state }) => [...passed.map(([one]) => one), state]);
  }

  instances(id: string) {
    return this.journal().flatMap((record) => (record.type === 'instance' && record.service === id ? [record] : []));
  }

  /** Last journaled record of a task or of a service's instance. */
  last(id: string): Extract<JournalRecord, { type: 'task' | 'instance' }> | undefined {
    const own = (record: JournalRecord) =>
      (record.type === 'task' && record.id === id) || (record.type === 'instance' && record.service === id);
    const found = this.journal().filter(own).at(-1);
    return found?.type === 'task' || found?.type === 'instance' ? found : undefined;
  }

  /** What stdout of something that has ended was. */
  stdout(id: string): string {
    const record = this.tasks(id).at(-1);
    if (!record?.output) throw new Error(`${id} has no output`);
    const { file, stdout } = record.output;
    return readFileSync(join(this.folder, file))
      .subarray(stdout.offset, stdout.offset + stdout.length)
      .toString();
  }

  async state(id: string, ...states: string[]): Promise<NonNullable<ReturnType<TestPilot['last']>>> {
    return until(
      `${id} is ${states.join(' or ')}`,
      () => {
        const last = this.last(id);
        return last && states.includes(last.state) ? last : undefined;
      },
      () =>
        `${this.journal()
          .map((one) => JSON.stringify(one))
          .join('\n')}\n${this.log()}`,
    );
  }

  async pilotState(state: string): Promise<void> {
    await until(
      `pilot is ${state}`,
      () =>
        this.journal()
          .filter((one) => one.type === 'pilot')
          .at(-1)?.state === state,
      () => this.log(),
    );
  }

  log(): string {
    return readFileSync(this.logPath, 'utf8');
  }

  /** Pids of the warden's pair, as its server says. */
  async warden(): Promise<{ keeper: number; server: number }> {
    const path = join(this.runtimeDir, 'w', `${this.id}.sock`);
    return until(
      'the warden answers',
      () =>
        new Promise<{ keeper: number; server: number } | undefined>((resolve) => {
          const socket = connect(path, () => socket.write('{"type":"ping"}\n'));
          socket.on('data', (data) => {
            const { pid, keeper } = JSON.parse(data.toString());
            resolve({ keeper, server: pid });
            socket.destroy();
          });
          socket.on('error', () => resolve(undefined));
          socket.on('close', () => resolve(undefined));
        }),
    );
  }

  agents(): number[] {
    return carrying(`PILOTHOUSE_AGENT_OF=${this.id}`);
  }

  /** Processes of this pilot's tasks and instances. */
  running(mark = `PILOTHOUSE_PILOT=${this.id}`): number[] {
    return carrying(mark);
  }

  /** Ends the pilot, checks that nothing of it is left anywhere, and removes its folders. */
  async end(): Promise<void> {
    const over = this.journal().some((one) => one.type === 'pilot' && ['DONE', 'FAILED'].includes(one.state));
    if (!over) this.spool([{ type: 'end' }]);
    await until(
      'nothing is left running',
      () => this.everything().length === 0,
      () => this.log(),
    );
    this.remove();
  }

  /** Warden, agent, tasks and instances of this pilot. */
  everything(): number[] {
    return [...carrying(`PILOTHOUSE_HOME=${this.home}`), ...this.running()];
  }

  /** Ends whatever is left by force, after a failed test. */
  destroy(): void {
    // Warden and agent restore each other, so one round may not be enough.
    for (let left = this.everything(); left.length > 0; left = this.everything()) {
      for (const pid of left) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // gone in the meantime
        }
      }
    }
    this.remove();
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true });
    rmSync(this.runtimeDir, { recursive: true, force: true });
  }
}

/** A probe that looks often. */
export function probe(more: z.input<typeof probeSchema>): Probe {
  const kind = PROBE_KINDS.some((one) => one in more) ? {} : { http: '/health' };
  return probeSchema.parse({ ...kind, interval: '200ms', timeout: '1s', failures: 2, ...more });
}

/** Waits until a look gives something; fails with what was waited for. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  explain: () => string = () => '',
  seconds = 30,
): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`after ${seconds} s still not: ${what}\n${explain()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Processes with a variable `NAME=value` in the environment they were started with. */
export function carrying(mark: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(mark);
      } catch {
        return false; // gone in the meantime
      }
    })
    .map(Number);
}
