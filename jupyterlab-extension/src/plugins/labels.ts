import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

/**
 * The label of a command: in the palette, among those of all other extensions, it begins with "Pilothouse:".
 */
export function commandLabel(label: string): (args: ReadonlyPartialJSONObject) => string {
  return ({ isPalette }) => (isPalette === true ? `Pilothouse: ${label}` : label);
}
