import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type ConnectFile, type PilotFile, pilotFileSchema } from '@pilothouse/sdk/internal';
import { z } from 'zod';
import { isMissing } from '../../missing.js';

const launchSchema = z.object({ v: z.literal(1), host: z.string(), bootId: z.string(), launchedAt: z.string() });

/** `engine.json`: where and when this engine launched the pilot; written before the launch. */
export type LaunchFile = z.infer<typeof launchSchema>;

/** Writes what an agent needs to start: its folder, what it holds, and where the bridge is. */
export async function preparePilotFolder(pilot: PilotFile, connect: ConnectFile): Promise<void> {
  const folders = ['spool', 'journal', 'output', 'services'].map((name) => join(pilot.folder, name));
  await Promise.all(
    [...folders, join(pilot.runtimeDir, 'p', pilot.id)].map((path) => mkdir(path, { recursive: true, mode: 0o700 })),
  );
  await Promise.all([writeWhole(join(pilot.folder, 'pilot.json'), pilot), writeConnectFile(pilot.folder, connect)]);
}

/** Tells the agent of a pilot where the bridge is now. */
export function writeConnectFile(folder: string, connect: ConnectFile): Promise<void> {
  return writeWhole(join(folder, 'connect.json'), connect);
}

export function writeLaunchFile(folder: string, launch: LaunchFile): Promise<void> {
  return writeWhole(join(folder, 'engine.json'), launch);
}

/** The launch of a pilot; null when it was never launched. */
export async function readLaunchFile(folder: string): Promise<LaunchFile | null> {
  try {
    return launchSchema.parse(JSON.parse(await readFile(join(folder, 'engine.json'), 'utf8')));
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** Names of the GPUs that a pilot was given; undefined: it was given none by name. */
export async function readGpus(folder: string): Promise<readonly string[] | undefined> {
  try {
    return pilotFileSchema.parse(JSON.parse(await readFile(join(folder, 'pilot.json'), 'utf8'))).gpuIds;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Whether an agent ever wrote a line about this pilot. */
export async function hasJournal(folder: string): Promise<boolean> {
  const names = await readdir(join(folder, 'journal')).catch(() => []);
  return names.length > 0;
}

/** Replaces a file as a whole and durably: a reader sees the old one or the new one. */
async function writeWhole(path: string, value: object): Promise<void> {
  const temporary = `${path}.${process.pid}.new`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(value)}\n`);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
}
