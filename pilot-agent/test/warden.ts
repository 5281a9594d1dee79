import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SpawnExit, SpawnFailure, SpawnOrder } from '../src/launcher/spawn.js';
import { WardenClient } from '../src/launcher/warden-client.js';
import { wardenScript } from '../src/paths.js';
import { carrying, until } from './pilot.js';

const RELAY = new URL('./servers/relay.mjs', import.meta.url).pathname;

/** What became of one spawn. */
export interface Outcome {
  readonly started: number;
  readonly code: number | undefined;
  readonly exit: SpawnExit | undefined;
  readonly failure: SpawnFailure | undefined;
  readonly lost: boolean;
}

/** The real warden with a client of this test in place of an agent. */
export class TestWarden {
  readonly folder = mkdtempSync(join(tmpdir(), 'pw'));
  readonly id = 'pilot-test';
  readonly #mark = `PILOTHOUSE_TEST=${this.folder}`;
  client!: WardenClient;

  async start(keep?: readonly [number, number]): Promise<void> {
    const pilot = join(this.folder, 'pilot');
    mkdirSync(pilot);
    writeFileSync(join(pilot, 'pilot.json'), JSON.stringify({ id: this.id, runtimeDir: this.folder, runtime: 600 }));
    const relay = join(this.folder, 'relay.sock');
    const log = openSync(join(this.folder, 'log'), 'a');
    const agent = [process.execPath, RELAY, this.socket, relay];
    spawn('/usr/bin/python3', ['-I', '-S', '-E', wardenScript, pilot, '--', ...agent], {
      stdio: ['ignore', log, log],
      detached: true,
      env: { PATH: process.env.PATH, PILOTHOUSE_TEST: this.folder },
    }).unref();
    await until('the relay listens', () => existsSync(relay));
    this.client = await WardenClient.connect(relay, keep && { keep });
  }

  get socket(): string {
    return join(this.folder, 'w', `${this.id}.sock`);
  }

  /** Starts a shell script; resolves when its end was told. */
  run(id: string, script: string, more: Partial<SpawnOrder> = {}): Promise<Outcome> {
    return this.spawn(id, ['/bin/sh', '-c', script], more);
  }

  spawn(id: string, argv: readonly string[], more: Partial<SpawnOrder> = {}): Promise<Outcome> {
    const env = { PATH: process.env.PATH ?? '/bin', PILOTHOUSE_PILOT: this.id, PILOTHOUSE_TEST: this.folder };
    return new Promise((resolve) => {
      let started = 0;
      const end = (outcome: Partial<Outcome>) => {
        this.client.acknowledge([id]);
        resolve({ started, code: undefined, exit: undefined, failure: undefined, lost: false, ...outcome });
      };
      this.client.spawn(
        {
          id,
          mark: `PILOTHOUSE_SPAWN_ID=${id}`,
          path: argv[0] ?? '',
          argv,
          env,
          own: { PILOTHOUSE_SPAWN_ID: id },
          cwd: this.folder,
          stdout: this.output(id, 'out'),
          stderr: this.output(id, 'err'),
          cpus: null,
          ...more,
        },
        {
          started: () => {
            started += 1;
          },
          exited: (code, exit) => end({ code, exit }),
          failed: (failure) => end({ failure }),
          lost: () => end({ lost: true }),
        },
      );
    });
  }

  output(id: string, suffix: 'out' | 'err'): string {
    return join(this.folder, `${id}.${suffix}`);
  }

  /** What a task wrote to a file in its working directory, once it has. */
  written(name: string): Promise<string> {
    return until(`${name} is written`, () => {
      const path = join(this.folder, name);
      return existsSync(path) && readFileSync(path, 'utf8').trim();
    });
  }

  /** Pids of keeper and server. */
  pair(): Promise<{ keeper: number; server: number }> {
    return until(
      'the warden answers',
      () =>
        new Promise<{ keeper: number; server: number } | undefined>((resolve) => {
          const socket = connect(this.socket, () => socket.write('{"type":"ping"}\n'));
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

  /** The warden's own record of what it keeps. */
  ledger(): string {
    return readFileSync(join(this.folder, 'w', `${this.id}.spawns`), 'utf8');
  }

  log(): string {
    return readFileSync(join(this.folder, 'log'), 'utf8');
  }

  /** Ends it as a node does that is wanted back, and checks that nothing is left. */
  async end(): Promise<void> {
    this.client.close();
    const { keeper } = await this.pair();
    rmSync(join(this.folder, 'pilot'), { recursive: true });
    process.kill(keeper, 'SIGTERM');
    await until(
      'nothing is left running',
      () => carrying(this.#mark).length === 0,
      () => this.log(),
    );
    rmSync(this.folder, { recursive: true });
  }
}
