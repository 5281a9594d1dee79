#!/usr/bin/env node
// Started by whatever Node is on PATH: hands over to the private Node 24 that the launcher file names, so that the
// command line runs on the same Node as the bridge. Without a launcher file this Node does, where it is new enough.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../lib/cli/main.js', import.meta.url));

function launcherCli() {
  const home = process.env.PILOTHOUSE_HOME || join(homedir(), '.pilothouse');
  try {
    return JSON.parse(readFileSync(process.env.PILOTHOUSE_LAUNCHER || join(home, 'launcher.json'), 'utf8')).cli;
  } catch {
    // No launcher file yet, or a damaged one: `pilothouse doctor` says so.
    return undefined;
  }
}

const cli = launcherCli();
if (Array.isArray(cli) && cli.length > 0 && cli[0] !== process.execPath) {
  const { status, signal, error } = spawnSync(cli[0], [...cli.slice(1), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  if (error === undefined) process.exit(status ?? (signal === null ? 1 : 130));
}
if (Number(process.versions.node.split('.')[0]) >= 24) await import(MAIN);
else {
  console.error(
    `Run the set-up again: npm start. Node ${process.versions.node} is too old for Pilothouse's own programs.`,
  );
  process.exit(1);
}
