import { execFile } from 'node:child_process';
import { lstat, readFile, stat, statfs } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { type Check, formatBytes, formatSeconds, launcherSchema, type TemplateReport } from '@pilothouse/sdk/internal';
import { type Config, wrongSettings } from '../config.js';
import { answers, readLease } from '../lifecycle/lease.js';
import { describeError } from '../logger.js';
import { whereMissing } from '../missing.js';

/** Free bytes below which logs and packed output soon fail. */
const LITTLE_SPACE = 1024 ** 3;
/** Milliseconds that the clocks of host and file system may differ. */
const CLOCK_TOLERANCE = 5000;

type Outcome = Pick<Check, 'result' | 'evidence'> & { remedy?: string };

/** What the checks can ask that only a running bridge knows. */
export interface DoctorContext {
  readonly config: Config;
  findPython(): Promise<string>;
  machine(): { readonly evidence: string; readonly loginNode: string | null };
  templates(): Promise<TemplateReport[]>;
}

/** Every check of `pilothouse doctor`, each with what it saw and what to do. */
export async function runChecks(context: DoctorContext): Promise<Check[]> {
  const { config } = context;
  const checks: [id: string, title: string, look: () => Promise<Outcome>][] = [
    ['state-root', 'State root', () => checkFolder(config.home, 'PILOTHOUSE_HOME')],
    ['runtime-dir', 'Runtime folder', () => checkFolder(config.runtimeDir, 'PILOTHOUSE_RUNTIME_DIR')],
    ['socket', 'Socket', () => checkSocket(config)],
    ['lease', 'Ownership', () => checkLease(config)],
    ['launcher', 'Launcher', () => checkLauncher(config)],
    ['node', 'Node', () => checkNode(config)],
    ['python', 'Python', () => checkPython(context)],
    ['machine', 'This machine', () => checkMachine(context)],
    ['templates', 'Service templates', () => checkTemplates(context)],
    ['disk', 'Disk space', () => checkDisk(config)],
    ['clock', 'Clock', () => checkClock(config)],
    ['limits', 'What is kept', () => checkLimits(config)],
  ];
  return Promise.all(
    checks.map(async ([id, title, look]): Promise<Check> => {
      try {
        const { result, evidence, remedy } = await look();
        return { id, title, result, evidence, remedy: remedy ?? null };
      } catch (error) {
        return { id, title, result: 'failed', evidence: describeError(error), remedy: 'See what it says.' };
      }
    }),
  );
}

async function checkLimits({ env, keep, fileLimit }: Config): Promise<Outcome> {
  const { age, bytes, files } = keep;
  const evidence = `what is over stays ${formatSeconds(age)}, up to ${formatBytes(bytes)} and ${files} files; files up to ${formatBytes(fileLimit)} are given out`;
  const wrong = wrongSettings(env);
  if (wrong.length === 0) return { result: 'ok', evidence };
  return {
    result: 'warning',
    evidence: `${wrong.join('; ')}. Instead, ${evidence}`,
    remedy: 'Correct it and restart Pilothouse.',
  };
}

async function checkFolder(path: string, variable: string): Promise<Outcome> {
  const found = await lstat(path).catch(whereMissing(null));
  if (found === null) return { result: 'ok', evidence: `${path} is made at the first start` };
  if (!found.isDirectory()) {
    return { result: 'failed', evidence: `${path} is no folder`, remedy: `Remove ${path}, or set ${variable}.` };
  }
  const { uid } = userInfo();
  if (found.uid !== uid) {
    return {
      result: 'failed',
      evidence: `${path} belongs to user ${found.uid}`,
      remedy: `Set ${variable} to a folder of yours.`,
    };
  }
  const mode = (found.mode & 0o777).toString(8);
  if ((found.mode & 0o077) !== 0) {
    return { result: 'warning', evidence: `${path} has mode ${mode}`, remedy: `Run: chmod 700 ${path}` };
  }
  return { result: 'ok', evidence: `${path}, mode ${mode}` };
}

async function checkSocket({ socket }: Config): Promise<Outcome> {
  const found = await lstat(socket).catch(whereMissing(null));
  if (found === null) return { result: 'ok', evidence: 'Pilothouse does not run; it starts when it is needed' };
  if (!(await answers(socket))) {
    return {
      result: 'warning',
      evidence: `${socket} is left over; nobody answers`,
      remedy: 'Nothing to do: the next start removes it.',
    };
  }
  const mode = (found.mode & 0o777).toString(8);
  if (mode !== '600')
    return { result: 'failed', evidence: `${socket} has mode ${mode}`, remedy: 'Run: pilothouse bridge stop' };
  return { result: 'ok', evidence: `${socket} answers, mode 600` };
}

async function checkLease({ home, host }: Config): Promise<Outcome> {
  const lease = await readLease(home);
  if (lease === null) return { result: 'ok', evidence: 'Pilothouse runs nowhere for you' };
  if (lease.released) return { result: 'ok', evidence: `given back on ${lease.host}` };
  const seconds = Math.round((Date.now() - Date.parse(lease.heartbeat)) / 1000);
  const evidence = `Pilothouse runs on ${lease.host}, last heard of ${seconds} s ago`;
  if (lease.host === host) return { result: 'ok', evidence };
  return {
    result: 'warning',
    evidence,
    remedy: `Work on ${lease.host}, or take over here: PILOTHOUSE_TAKE_OVER=1 pilothouse status`,
  };
}

async function checkLauncher({ launcher }: Config): Promise<Outcome> {
  const text = await readFile(launcher, 'utf8').catch(whereMissing(null));
  if (text === null) {
    return {
      result: 'failed',
      evidence: `${launcher} is not there`,
      remedy: 'Run the set-up again: npm start.',
    };
  }
  const parsed = launcherSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    return {
      result: 'failed',
      evidence: `${launcher} is damaged`,
      remedy: `Remove ${launcher} and run the set-up again.`,
    };
  }
  const { argv, version } = parsed.data;
  for (const path of argv.filter((word) => word.startsWith('/'))) {
    if ((await stat(path).catch(whereMissing(null))) === null) {
      return {
        result: 'failed',
        evidence: `${path}, named in ${launcher}, is not there`,
        remedy: 'Run the set-up again.',
      };
    }
  }
  return { result: 'ok', evidence: `version ${version}, ${launcher}` };
}

async function checkNode({ node }: Config): Promise<Outcome> {
  const [major = 0] = process.versions.node.split('.').map(Number);
  const evidence = `${process.version}, ${node}`;
  if (major >= 24) return { result: 'ok', evidence };
  return { result: 'failed', evidence, remedy: 'Run the set-up again: it brings the right Node.' };
}

async function checkPython({ findPython }: DoctorContext): Promise<Outcome> {
  const path = await findPython();
  const version = await output(path, ['--version']);
  return { result: 'ok', evidence: `${version.trim()}, ${path}` };
}

async function checkMachine({ machine, config }: DoctorContext): Promise<Outcome> {
  const { evidence, loginNode } = machine();
  if (loginNode === null || config.allowLoginNode) return { result: 'ok', evidence };
  return { result: 'warning', evidence: `${evidence}; ${loginNode}`, remedy: 'Start a job, and Pilothouse in it.' };
}

async function checkTemplates({ templates }: DoctorContext): Promise<Outcome> {
  const reports = await templates();
  const missing = reports.filter(({ available }) => !available);
  const [first] = missing;
  const there = reports.length - missing.length;
  const evidence = `${there} of ${reports.length} can be used`;
  if (first === undefined) return { result: 'ok', evidence };
  const names = missing.map(({ title }) => title).join(', ');
  return { result: 'warning', evidence: `${evidence}; not ${names}`, remedy: first.reason ?? 'Run the set-up again.' };
}

async function checkDisk({ home, runtimeDir }: Config): Promise<Outcome> {
  const parts: string[] = [];
  let little: string | null = null;
  for (const path of [home, runtimeDir]) {
    const system = await statfs(path).catch(whereMissing(null));
    if (system === null) continue;
    const free = system.bavail * system.bsize;
    parts.push(`${formatBytes(free)} free at ${path}`);
    if (free < LITTLE_SPACE || (system.files > 0 && system.ffree === 0)) little ??= path;
  }
  const evidence = parts.join(', ') || 'nothing is stored yet';
  return little === null
    ? { result: 'ok', evidence }
    : {
        result: 'warning',
        evidence,
        remedy: `Make room at ${little}; below, logs cannot be written and submits fail.`,
      };
}

/** A shared file system stamps files with its server's time; hosts that disagree mistake live leases for stale ones. */
async function checkClock({ home }: Config): Promise<Outcome> {
  const lease = await readLease(home);
  if (lease === null) return { result: 'ok', evidence: new Date().toISOString() };
  const { mtimeMs } = await stat(`${home}/lease/${lease.epoch}`);
  const difference = Math.abs(mtimeMs - Date.parse(lease.heartbeat));
  const evidence = `host and file system differ by ${Math.round(difference)} ms`;
  if (difference < CLOCK_TOLERANCE) return { result: 'ok', evidence };
  return {
    result: 'warning',
    evidence,
    remedy: 'Ask the administrators to check time synchronisation (chrony, ntpd).',
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // Damaged: the schema refuses it.
  }
}

function output(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: 5000 }, (error, stdout) => (error === null ? resolve(stdout) : reject(error)));
  });
}
