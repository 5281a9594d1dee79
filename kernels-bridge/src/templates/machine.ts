import { readFile } from 'node:fs/promises';

/** What of this machine decides whether a built program runs on it. */
export interface Machine {
  readonly arch: string;
  /** Version of the C library; undefined where it is not glibc. */
  readonly glibc: string | undefined;
  /** Instruction sets of the CPU. */
  readonly cpuFlags: ReadonlySet<string>;
}

let known: Promise<Machine> | undefined;

/** This machine; looked at once. */
export function thisMachine(): Promise<Machine> {
  known ??= look();
  return known;
}

async function look(): Promise<Machine> {
  return { arch: process.arch, glibc: glibcVersion(), cpuFlags: await cpuFlags() };
}

function glibcVersion(): string | undefined {
  // Without this the report looks up host names, which can take seconds.
  Reflect.set(process.report, 'excludeNetwork', true);
  const report: unknown = process.report.getReport();
  if (typeof report !== 'object' || report === null || !('header' in report)) return undefined;
  const { header } = report;
  if (typeof header !== 'object' || header === null || !('glibcVersionRuntime' in header)) return undefined;
  return typeof header.glibcVersionRuntime === 'string' ? header.glibcVersionRuntime : undefined;
}

async function cpuFlags(): Promise<ReadonlySet<string>> {
  try {
    const text = await readFile('/proc/cpuinfo', 'utf8');
    return new Set(/^flags\s*:\s*(.*)$/m.exec(text)?.[1]?.split(' '));
  } catch {
    // No /proc: not a Linux that anything here was built for; an empty set says so to who asks.
    return new Set();
  }
}

/** Whether a dotted version is at least another. */
export function atLeast(version: string, wanted: string): boolean {
  const [have, want] = [version, wanted].map((text) => text.split('.').map(Number));
  for (const [index, part] of (want ?? []).entries()) {
    const difference = (have?.[index] ?? 0) - part;
    if (difference !== 0) return difference > 0;
  }
  return true;
}
