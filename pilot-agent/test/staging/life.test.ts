import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestPilot, until } from '../pilot.js';

const BODY = Buffer.alloc(50_000, 7);

/** A server of one file that stops in the middle of it until it is told to go on. */
class SlowServer {
  readonly #server: Server;
  readonly #waiting = new Set<ServerResponse>();
  asked = 0;
  slow = true;

  constructor() {
    this.#server = createServer((_request, response) => {
      this.asked += 1;
      response.writeHead(200, { 'content-length': BODY.length });
      if (!this.slow) {
        response.end(BODY);
        return;
      }
      response.write(BODY.subarray(0, 20_000));
      this.#waiting.add(response);
      response.once('close', () => this.#waiting.delete(response));
    });
  }

  /** Connections that wait for the rest. */
  get waiting(): number {
    return this.#waiting.size;
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/data.bin`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

let pilot: TestPilot;
let server: SlowServer;
let url: string;
beforeEach(async () => {
  pilot = new TestPilot();
  server = new SlowServer();
  url = await server.listen();
});
afterEach(async () => {
  server.close();
  await pilot.destroy();
});

const work = (): string[] => readdirSync(pilot.work).sort();

describe('a task whose data is on the way', () => {
  beforeEach(async () => {
    pilot.spool([
      pilot.task('task-1', ['sh', '-c', 'wc -c < data.bin >> sizes'], { stageIn: [{ from: url, to: './' }] }),
    ]);
    pilot.start();
    await until(
      'the transfer is under way',
      () => server.waiting === 1,
      () => pilot.log(),
    );
  });

  it('gets it from the next agent when the first is killed, runs once, and nothing half done is left', async () => {
    const [agent = 0] = pilot.agents();
    server.slow = false;
    process.kill(agent, 'SIGKILL');
    await pilot.state('task-1', 'DONE', 'FAILED');
    expect(pilot.last('task-1')).toMatchObject({
      state: 'DONE',
      staging: [{ state: 'DONE', files: 1, bytes: BODY.length }],
    });
    expect(readFileSync(join(pilot.work, 'sizes'), 'utf8').trim()).toBe(String(BODY.length));
    expect(work()).toEqual(['data.bin', 'sizes']);
    expect(server.asked).toBe(2);
    await pilot.end();
  });

  it('is canceled at once, and so is the transfer', async () => {
    pilot.spool([{ type: 'cancel-tasks', tasks: ['task-1'] }]);
    await pilot.state('task-1', 'CANCELED', 'FAILED', 'DONE');
    expect(pilot.last('task-1')).toMatchObject({ state: 'CANCELED' });
    await until('the connection is closed', () => server.waiting === 0);
    expect(work()).toEqual([]);
    await pilot.end();
  });
});

it('a program that moves data ends with the agent that started it, however that ends', async () => {
  const programs = new URL('../../lib/staging/transfer/programs.js', import.meta.url);
  const script = join(pilot.work, 'agent.mjs');
  writeFileSync(
    script,
    `import { runProgram } from ${JSON.stringify(programs.href)};
     await runProgram(['sleep', '60'], { PATH: process.env.PATH, MOVES: '${pilot.id}' }, new AbortController().signal);`,
  );
  const agent = spawn(process.execPath, [script], { stdio: 'ignore' });
  await until('the program runs', () => pilot.running(`MOVES=${pilot.id}`).length > 0);
  agent.kill('SIGKILL');
  await until('the program is gone', () => pilot.running(`MOVES=${pilot.id}`).length === 0);
});
