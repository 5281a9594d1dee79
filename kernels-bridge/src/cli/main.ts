import { parseArgs } from 'node:util';
import { PilothouseError, toErrorData } from '@pilothouse/sdk/internal';
import { packageVersion, resolveConfig } from '../config.js';
import { type Arguments, type CliContext, type Command, EXIT } from './command.js';
import { batches } from './commands/batches.js';
import { clean } from './commands/clean.js';
import { drain, extend, keep, resume, suspend } from './commands/control.js';
import { credentials } from './commands/credentials.js';
import { cancel, end, stop } from './commands/endings.js';
import { bridge, doctor, init } from './commands/installation.js';
import { pilots, sets, tasks } from './commands/lists.js';
import { explain, logs } from './commands/looks.js';
import { services } from './commands/services.js';
import { status } from './commands/status.js';
import { confirm, readSecret } from './terminal.js';

const COMMANDS: readonly Command[] = [
  status,
  doctor,
  init,
  pilots,
  tasks,
  sets,
  services,
  batches,
  credentials,
  logs,
  explain,
  cancel,
  stop,
  drain,
  suspend,
  resume,
  keep,
  extend,
  end,
  clean,
  bridge,
];

const HELP = `Usage: pilothouse <command> [--json]

${COMMANDS.map(({ usage, summary }) => `  ${usage}\n      ${summary}`).join('\n')}

A thing is meant by its name, its id, or the start of its id.

Exit codes: 0 done · 1 it failed · 2 wrong usage · 3 no such thing · 4 Pilothouse cannot be reached · 5 doctor found a failure
`;

/** Codes after which Pilothouse could not even be asked. */
const UNREACHABLE: ReadonlySet<string> = new Set([
  'BRIDGE_UNREACHABLE',
  'BRIDGE_START_FAILED',
  'LAUNCHER_MISSING',
  'CONNECTION_LOST',
  'OWNED_ELSEWHERE',
  'OWNERSHIP_MOVED',
  'PERMISSION_DENIED',
  'UNSAFE_PATH',
  'STATE_UNREACHABLE',
]);

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    process.stdout.write(HELP);
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  if (name === '--version' || name === 'version') {
    process.stdout.write(`${packageVersion()}\n`);
    return EXIT.ok;
  }
  const command = COMMANDS.find((one) => one.name === name);
  if (command === undefined) return usage(`There is no command "${name}".`);
  const args = parse(command, rest);
  if (typeof args === 'string') return usage(`${args} Write: pilothouse ${command.usage}`);
  if (args.values.help === true) {
    process.stdout.write(`pilothouse ${command.usage}\n    ${command.summary}\n`);
    return EXIT.ok;
  }
  const context = makeContext(args.values.json === true);
  try {
    return (await command.run(context, args)) ?? EXIT.ok;
  } catch (error) {
    return fail(error, context.json);
  }
}

function parse(command: Command, argv: readonly string[]): Arguments | string {
  try {
    const { positionals, values } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { ...command.options, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    });
    const [least, most] = command.words;
    if (values.help !== true && (positionals.length < least || positionals.length > most)) {
      return positionals.length < least ? 'Something is missing.' : 'There are too many words.';
    }
    return { positionals, values };
  } catch (error) {
    return error instanceof Error ? `${error.message}.` : String(error);
  }
}

function makeContext(json: boolean): CliContext {
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  return {
    config: resolveConfig(),
    json,
    print,
    note: (text) => void process.stderr.write(`${text}\n`),
    result: (value, text) => print(json ? JSON.stringify(value) : text()),
    confirm,
    readSecret,
  };
}

function usage(text: string): number {
  process.stderr.write(`${text}\nSee: pilothouse --help\n`);
  return EXIT.usage;
}

/** The remedy first, the code last. */
function fail(error: unknown, json: boolean): number {
  const data = toErrorData(error);
  if (json) process.stdout.write(`${JSON.stringify({ error: data })}\n`);
  else {
    const hint = data.hint === undefined ? '' : `${data.hint}\n`;
    const evidence = data.evidence === undefined ? '' : `\n${data.evidence}`;
    process.stderr.write(`${hint}${data.message} (${data.code})${evidence}\n`);
  }
  if (!(error instanceof PilothouseError)) return EXIT.failed;
  if (data.code.endsWith('_NOT_FOUND')) return EXIT.notFound;
  return UNREACHABLE.has(data.code) ? EXIT.notRunning : EXIT.failed;
}

process.exitCode = await main(process.argv.slice(2));
