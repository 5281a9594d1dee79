import type { ServiceApi } from '@pilothouse/sdk/shared';
import type { Adapter, Directory } from '@pilothouse/serving';
import type { Journal } from '../journal/journal.js';
import type { Past } from '../journal/replay.js';
import type { Public } from '../node-context.js';

/** What batches need of the agent. */
export interface BatchContext {
  readonly pilot: { readonly id: string; readonly folder: string };
  readonly past: Pick<Past, 'batches'>;
  readonly journal: Pick<Public<Journal>, 'append'>;
  /** The services that can be called from here. */
  directory(): Promise<Directory>;
  /** Absolute folders whose files requests to a service may name; null: it does not run here. */
  filesOf(service: string): readonly string[] | null;
  adapters(): Promise<Readonly<Record<ServiceApi, Adapter>>>;
  /** Keeps a service alive; returns the way to let it go. */
  hold(service: string, why: string): () => void;
}
