// The built product with a state root and a runtime directory of its own, as each bench gets it.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BRIDGE_ARGV, CLI_MAIN, NODE24 } from '../../scripts/lib/paths.mjs';
import { runCaptured } from '../../scripts/lib/processes.mjs';
import { processesOf } from './proc.mjs';

/** Waits until `probe` gives something other than null or false, looking every 20 ms. */
export async function eventually(what, probe, seconds = 60) {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (performance.now() > deadline) throw new Error(`${what} did not happen within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Makes the directories and points this process (and what it starts) at them. */
export function createStack() {
  const root = mkdtempSync(join(tmpdir(), 'phb-'));
  const home = join(root, 'home');
  const runtimeDir = join(root, 'run');
  const workspace = join(root, 'work');
  for (const folder of [home, runtimeDir, workspace]) mkdirSync(folder, { mode: 0o700 });
  writeFileSync(
    join(home, 'launcher.json'),
    JSON.stringify({ argv: BRIDGE_ARGV, cli: [NODE24, CLI_MAIN], version: 'bench' }),
    { mode: 0o600 },
  );
  const env = { ...process.env, PILOTHOUSE_HOME: home, PILOTHOUSE_RUNTIME_DIR: runtimeDir };
  delete env.PILOTHOUSE_LAUNCHER;
  return {
    root,
    home,
    runtimeDir,
    workspace,
    env,
    spawn: (argv, options = {}) => spawn(argv[0], argv.slice(1), { env, cwd: workspace, stdio: 'ignore', ...options }),
    /** A process of this stack whose command line holds `part` and, where given, not `without`. */
    pid(part, without) {
      const found = processesOf(home).filter(
        ({ command }) => command.includes(part) && (without === undefined || !command.includes(without)),
      );
      if (found.length === 0) throw new Error(`no process with "${part}" runs`);
      return found[0].pid;
    },
    cli: (...args) => runCaptured([NODE24, CLI_MAIN, ...args], { env, cwd: workspace }),
    /** Ends everything, checks that nothing is left, removes the directories. */
    async close() {
      await this.cli('end', '--all', '--yes');
      await eventually('the end of all pilots', () => !processesOf(home).some((p) => p.command.includes('warden')));
      await this.cli('bridge', 'stop');
      await eventually('the end of all processes', () => processesOf(home).length === 0);
      rmSync(root, { recursive: true });
    },
  };
}
