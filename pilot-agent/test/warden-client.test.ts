import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WardenClient } from '../src/launcher/warden-client.js';

const ID = 'task-a:1';

let folder: string;
let server: Server;
let warden: Promise<Socket>;
let client: WardenClient;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pw'));
  const path = join(folder, 's');
  server = createServer();
  warden = new Promise((resolve) => {
    server.on('connection', (socket) => {
      socket.once('data', () => {
        socket.write(line({ type: 'state', protocol: 2, spawns: [{ id: ID, state: 'running', pid: 7 }] }));
        resolve(socket);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  client = await WardenClient.connect(path);
});

afterEach(async () => {
  client.close();
  (await warden).destroy();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

function line(message: unknown): string {
  return `${JSON.stringify(message)}\n`;
}

function exited(code: number) {
  return { id: ID, state: 'exited', pid: 7, code, usage: [0.1, 0.05, 4096, 0, 512], out: 0, err: 0 };
}

function watcher() {
  return { started: vi.fn(), exited: vi.fn(), failed: vi.fn(), lost: vi.fn() };
}

describe('what an earlier agent has started', () => {
  it('is told to have ended when it ends between the greeting and its adoption', async () => {
    (await warden).write(line({ type: 'news', seen: [exited(3)] }));
    await vi.waitFor(() => expect(client.found.get(ID)).toMatchObject({ state: 'exited', code: 3 }));
    const told = watcher();
    client.adopt(ID, told);
    expect(told.started).toHaveBeenCalledExactlyOnceWith(7);
    expect(told.exited).toHaveBeenCalledExactlyOnceWith(3, expect.anything());
  });

  it('is told to have ended when it ends after its adoption', async () => {
    const told = watcher();
    client.adopt(ID, told);
    expect(told.started).toHaveBeenCalledExactlyOnceWith(7);
    (await warden).write(line({ type: 'news', seen: [exited(0)] }));
    await vi.waitFor(() => expect(told.exited).toHaveBeenCalledExactlyOnceWith(0, expect.anything()));
  });
});
