import type { StagingReport } from '@pilothouse/sdk/shared';
import type { JournalEntry } from '../journal/journal.js';
import type { NodeContext, Public } from '../node-context.js';
import type { Demand } from '../scheduler/demand.js';
import type { Lack } from '../scheduler/impossible.js';
import type { Supervisor } from '../supervisor/supervisor.js';
import type { Accounting } from './accounting.js';
import type { Dependencies } from './dependencies.js';
import type { Diary } from './diary.js';
import type { GpuWatch } from './gpu-watch.js';
import type { Inputs } from './inputs.js';
import type { Expectant } from './preconditions.js';
import type { Runner } from './runner.js';
import type { Stages } from './stages.js';
import type { Walltime } from './walltime.js';

/** What is written down about a task beside its state. */
export type TaskDetails = Partial<Omit<Extract<JournalEntry, { type: 'task' }>, 'type' | 'id' | 'state' | 'passed'>>;

/** What all tasks of a pilot share. */
export interface TaskHost {
  readonly context: NodeContext;
  readonly services: Pick<Supervisor, 'onChange' | 'readiness' | 'hold'>;
  readonly commands: Runner;
  readonly calls: Runner;
  readonly dependencies: Dependencies;
  readonly inputs: Inputs;
  /** Tasks that wait for services. */
  readonly onServices: Set<Expectant>;
  readonly diary: Diary;
  readonly walltime: Walltime;
  readonly gpus: GpuWatch;
  readonly accounting: Public<Accounting>;
  readonly stages: Stages;
  /** How far staging is, of tasks that are at it. */
  readonly staging: Map<string, readonly StagingReport[]>;
  /** Whether an earlier agent may have started something. */
  readonly restarted: boolean;
  /** The warden is gone for good, and the pilot with it. */
  readonly lost: boolean;
  /** What a task finds in its environment of the services (ids) that it names. */
  serviceVariables(task: string, services: readonly string[]): Promise<Readonly<Record<string, string>>>;
  /** What the pilot lacks for something even when it is empty. */
  impossible(demand: Demand): Lack | undefined;
  nodeName(node: number): string;
  /** There is less time left than the task says it takes. */
  tooLate(id: string): void;
}
