import type { TranslationBundle } from '@jupyterlab/translation';
import { formatSeconds, type TaskRow } from '@pilothouse/sdk/internal';
import { isFinal, stateWord } from '../format/state.js';
import { AT } from './row-store.js';

export type ColumnId =
  | 'name'
  | 'set'
  | 'state'
  | 'since'
  | 'took'
  | 'why'
  | 'pilot'
  | 'cores'
  | 'gpus'
  | 'attempt'
  | 'exit'
  | 'created';

/** What a cell needs to know besides its row. */
export interface CellContext {
  /** milliseconds since 1970 */
  readonly now: number;
  readonly setName: (id: string) => string;
  readonly pilotName: (id: string) => string;
}

/** One column of the table of tasks. */
export interface Column {
  readonly id: ColumnId;
  readonly title: string;
  /** What it means, where its title does not say it. */
  readonly hint?: string;
  /** pixels to begin with */
  readonly width: number;
  readonly align: 'left' | 'right';
  readonly text: (row: TaskRow, context: CellContext) => string;
  /** What it is sorted by. */
  readonly key: (row: TaskRow, context: CellContext) => string | number;
  /** Its value changes while a task goes on, so its order does too. */
  readonly moves: boolean;
}

/** All columns, in the order they stand. */
export function taskColumns(trans: TranslationBundle): readonly Column[] {
  return [
    {
      id: 'name',
      title: trans.__('Task'),
      width: 200,
      align: 'left',
      text: (row) => row[AT.name],
      key: (row) => row[AT.name],
      moves: false,
    },
    {
      id: 'set',
      title: trans.__('Set'),
      width: 120,
      align: 'left',
      text: (row, { setName }) => optional(row[AT.set], setName),
      key: (row, { setName }) => optional(row[AT.set], setName),
      moves: false,
    },
    {
      id: 'state',
      title: trans.__('State'),
      width: 130,
      align: 'left',
      text: (row) => stateWord(row[AT.state]),
      key: (row) => attention(row[AT.state]),
      moves: true,
    },
    {
      id: 'since',
      title: trans.__('For'),
      hint: trans.__('How long it has been in this state'),
      width: 80,
      align: 'right',
      text: (row, { now }) => seconds(now - row[AT.since]),
      key: (row) => -row[AT.since],
      moves: true,
    },
    {
      id: 'took',
      title: trans.__('Took'),
      hint: trans.__('How long it has run'),
      width: 80,
      align: 'right',
      text: (row, { now }) => {
        const took = runTime(row, now);
        return took === null ? '' : precise(took);
      },
      key: (row, { now }) => runTime(row, now) ?? -1,
      moves: true,
    },
    {
      id: 'why',
      title: trans.__('Why'),
      hint: trans.__('Why it is not further, or what went wrong'),
      width: 320,
      align: 'left',
      text: (row) => row[AT.reason] ?? '',
      key: (row) => row[AT.reason] ?? '',
      moves: true,
    },
    {
      id: 'pilot',
      title: trans.__('Pilot'),
      width: 100,
      align: 'left',
      text: (row, { pilotName }) => optional(row[AT.pilot], pilotName),
      key: (row, { pilotName }) => optional(row[AT.pilot], pilotName),
      moves: true,
    },
    number('cores', trans.__('Cores'), AT.cores),
    number('gpus', trans.__('GPUs'), AT.gpus),
    { ...number('attempt', trans.__('Attempt'), AT.attempt), moves: true },
    {
      id: 'exit',
      title: trans.__('Exit'),
      hint: trans.__('Exit code'),
      width: 60,
      align: 'right',
      text: (row) => (row[AT.exitCode] === null ? '' : String(row[AT.exitCode])),
      key: (row) => row[AT.exitCode] ?? -1,
      moves: true,
    },
    {
      id: 'created',
      title: trans.__('Submitted'),
      width: 150,
      align: 'left',
      text: (row) => dateTime(row[AT.createdAt]),
      key: (row) => row[AT.createdAt],
      moves: false,
    },
  ];
}

function number(id: 'cores' | 'gpus' | 'attempt', title: string, at: 7 | 8 | 9): Column {
  return {
    id,
    title,
    width: 70,
    align: 'right',
    text: (row) => String(Number(row[at].toFixed(2))),
    key: (row) => row[at],
    moves: false,
  };
}

/** Milliseconds that a task has run, or ran; null before it began. */
export function runTime(row: TaskRow, now: number): number | null {
  const start = row[AT.startedAt];
  if (start === null) return null;
  return Math.max(0, (row[AT.endedAt] ?? (isFinal('task', row[AT.state]) ? row[AT.since] : now)) - start);
}

const ATTENTION = ['FAILED', 'RUNNING', 'STAGING_OUTPUT', 'LAUNCHING', 'STAGING_INPUT', 'SCHEDULING', 'WAITING', 'NEW'];

/** Rank of a state: what needs attention first, what is over last. */
export function attention(state: string): number {
  const rank = ATTENTION.indexOf(state);
  return rank === -1 ? ATTENTION.length + (state === 'DONE' ? 0 : 1) : rank;
}

function optional(id: string | null, name: (id: string) => string): string {
  return id === null ? '' : name(id);
}

function seconds(milliseconds: number): string {
  return formatSeconds(Math.max(0, milliseconds) / 1000);
}

/** Short times to a tenth of a second: most tasks of a large set are short. */
function precise(milliseconds: number): string {
  return milliseconds < 10_000 ? `${(milliseconds / 1000).toFixed(1)} s` : seconds(milliseconds);
}

const formatter = new Intl.DateTimeFormat(undefined, { dateStyle: 'short', timeStyle: 'medium' });

function dateTime(milliseconds: number): string {
  return formatter.format(milliseconds);
}
