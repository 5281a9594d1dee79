import type { ResolvedTaskDescription } from '@pilothouse/sdk/shared';

const PLACEHOLDER = /\{(cores|gpus)\}/g;

/** A command with `{cores}` and `{gpus}` filled in; with ranks they are those of one rank. */
export function fill(
  command: readonly string[],
  { cores, gpus }: Pick<ResolvedTaskDescription, 'cores' | 'gpus'>,
): readonly string[] {
  if (!command.some((word) => word.includes('{'))) return command;
  return command.map((word) => word.replace(PLACEHOLDER, (_, name) => String(name === 'cores' ? cores : gpus)));
}
