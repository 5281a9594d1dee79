import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import { Token } from '@lumino/coreutils';
import type { Session } from '@pilothouse/sdk';
import type { Hidden } from './session/hidden.js';
import type { LinkMonitor } from './session/link.js';
import type { Memory } from './session/memory.js';
import type { NotebookTarget } from './session/notebook-target.js';
import type { Preferences } from './session/preferences.js';

/**
 * What every part of the extension shares: the page's one session with Pilothouse, how it is connected, what the
 * user prefers, and the commands through which all actions run.
 */
export interface IPilothouse {
  /** The one connection of this page. It opens itself again when it is lost. */
  readonly session: Session;
  /** Whether the session is connected and, if not, what to do about it. */
  readonly link: LinkMonitor;
  readonly preferences: Preferences;
  /** Small things kept across reloads: last used values, which sections are open. */
  readonly memory: Memory;
  /** Rows that were hidden and can still be brought back. */
  readonly hidden: Hidden;
  /** The notebook that inserted code goes into. */
  readonly notebook: NotebookTarget;
  /** Draws Markdown the way notebooks do; null where JupyterLab has none. */
  readonly rendermime: IRenderMimeRegistry | null;
  readonly commands: CommandRegistry;
  readonly trans: TranslationBundle;
}

export const IPilothouse = new Token<IPilothouse>(
  '@pilothouse/jupyterlab:IPilothouse',
  'The shared session with Pilothouse: pilots, services and answers as live handles, and the state of the connection.',
);

/** Ids of all commands; each is listed in the command palette under "Pilothouse". */
export const CommandIDs = {
  open: 'pilothouse:open',
  newPilot: 'pilothouse:new-pilot',
  startService: 'pilothouse:start-service',
  attachService: 'pilothouse:attach-service',
  tryDemo: 'pilothouse:try-demo',
  runTask: 'pilothouse:run-task',
  openTasks: 'pilothouse:open-tasks',
  openPilot: 'pilothouse:open-pilot',
  openService: 'pilothouse:open-service',
  openTask: 'pilothouse:open-task',
  openBatch: 'pilothouse:open-batch',
  openTaskLog: 'pilothouse:open-task-log',
  endPilot: 'pilothouse:end-pilot',
  drainPilot: 'pilothouse:drain-pilot',
  suspendPilot: 'pilothouse:suspend-pilot',
  resumePilot: 'pilothouse:resume-pilot',
  extendPilot: 'pilothouse:extend-pilot',
  keepPilot: 'pilothouse:keep-pilot',
  stopService: 'pilothouse:stop-service',
  scaleService: 'pilothouse:scale-service',
  drainService: 'pilothouse:drain-service',
  restartService: 'pilothouse:restart-service',
  probeService: 'pilothouse:probe-service',
  cancelTask: 'pilothouse:cancel-task',
  retryTask: 'pilothouse:retry-task',
  cancelSet: 'pilothouse:cancel-set',
  cancelBatch: 'pilothouse:cancel-batch',
  retryFailed: 'pilothouse:retry-failed',
  insert: 'pilothouse:insert',
  explain: 'pilothouse:explain',
  copyId: 'pilothouse:copy-id',
  hide: 'pilothouse:hide',
  reconnect: 'pilothouse:reconnect',
  copyDiagnosis: 'pilothouse:copy-diagnosis',
  help: 'pilothouse:help',
} as const;
