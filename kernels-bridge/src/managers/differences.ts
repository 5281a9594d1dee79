import { PilothouseError } from '@pilothouse/sdk/internal';

/**
 * Refuses an `ensure` whose description differs from that of the live thing, and shows the difference.
 *
 * @param ignore - fields that may differ
 */
export function refuseChanges(
  kind: 'pilot' | 'service',
  name: string,
  id: string,
  live: object,
  asked: object,
  ignore: ReadonlySet<string>,
): void {
  const differences = findDifferences(live, asked).filter(({ path }) => !ignore.has(path));
  const [first] = differences;
  if (first === undefined) return;
  const verb = kind === 'pilot' ? 'End' : 'Stop';
  throw new PilothouseError(
    'DESCRIPTION_CHANGED',
    `${kind} "${name}" is there, described differently: ${differences.map(({ text }) => text).join('; ')}`,
    {
      hint: `${verb} it first, take another name, or ask for it as it is.`,
      ids: { [kind]: id },
      field: first.path,
      evidence: differences.map(({ text }) => text).join('\n'),
    },
  );
}

/** The fields in which two descriptions differ, by path. */
export function findDifferences(live: unknown, asked: unknown, path = ''): { path: string; text: string }[] {
  if (isPlain(live) && isPlain(asked)) {
    const keys = new Set([...Object.keys(live), ...Object.keys(asked)]);
    return [...keys].flatMap((key) => findDifferences(live[key], asked[key], path === '' ? key : `${path}.${key}`));
  }
  if (JSON.stringify(live) === JSON.stringify(asked)) return [];
  return [{ path, text: `${path}: ${show(live)} → ${show(asked)}` }];
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  return value === undefined ? 'not given' : (JSON.stringify(value) ?? String(value));
}
