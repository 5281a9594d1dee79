import { PilothouseError, type ResolvedServiceDescription } from '@pilothouse/sdk/internal';
import type { LaunchPlan } from './template.js';

/** Options whose value is a secret, as servers and clients call them. */
const SECRET_OPTION = /^--?(api[-_]?keys?|hf[-_]?token|auth[-_]?token|access[-_]?token|token|password|secret)(=|$)/i;
/** Beginnings of keys that everybody knows as such. */
const SECRET_WORD = /^(sk-[A-Za-z0-9_-]{16,}|hf_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|glpat-[A-Za-z0-9_-]{16,})/;

/**
 * Refuses a command line that holds a secret: every user of the node can read the arguments of every process.
 *
 * @throws PilothouseError INVALID_DESCRIPTION
 */
export function refuseSecrets({ probes }: ResolvedServiceDescription, { command, setup }: LaunchPlan): void {
  const lines: [field: string, words: readonly string[]][] = [
    ['command', command],
    ['setup', setup],
    ...Object.entries(probes).map(([role, probe]): [string, readonly string[]] => [
      `probes.${role}.command`,
      probe?.command ?? [],
    ]),
  ];
  for (const [field, words] of lines) {
    if (words.some((word) => word.includes('{apiKey}'))) {
      throw refused(field, `${field} holds {apiKey}`, 'Use {apiKeyFile} there, or {apiKey} in env.');
    }
    for (const [index, word] of words.entries()) {
      const value = SECRET_OPTION.test(word) ? (word.includes('=') ? word.split('=')[1] : words[index + 1]) : word;
      const isOption = value !== word;
      if (value === undefined || value === '' || value.includes('{') || value.startsWith('-')) continue;
      if (isOption ? !isPath(value) : SECRET_WORD.test(value)) {
        const option = isOption ? ` after ${word.split('=')[0]}` : '';
        throw refused(field, `${field} holds a secret${option}`, 'Pass it in a file, or in env.');
      }
    }
  }
}

/**
 * Refuses a command line that holds one of the secrets that are stored.
 *
 * @throws PilothouseError INVALID_DESCRIPTION
 */
export function refuseStored(secrets: readonly string[], { command, setup }: LaunchPlan): void {
  // Anything shorter may be a word of every day.
  const long = secrets.filter(({ length }) => length >= 8);
  for (const [field, words] of [
    ['command', command],
    ['setup', setup],
  ] as const) {
    if (words.some((word) => long.some((secret) => word.includes(secret)))) {
      throw refused(field, `${field} holds a stored secret`, 'Pass it in a file, or in env.');
    }
  }
}

function isPath(text: string): boolean {
  return /^[/~.]/.test(text);
}

function refused(field: string, what: string, hint: string): PilothouseError {
  return new PilothouseError('INVALID_DESCRIPTION', `${what}, which every user of the node could read`, {
    hint,
    field,
  });
}
