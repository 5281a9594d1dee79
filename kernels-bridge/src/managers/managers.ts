import type { Context } from '../context.js';
import { Credentials } from '../credentials/credentials.js';
import { type TemplateRegistry, templatesOf } from '../templates/index.js';
import { BatchManager } from './batches/batch-manager.js';
import { ContactWatch } from './contact-watch.js';
import { DataManager } from './data/data-manager.js';
import { PilotControl } from './pilot-control.js';
import { PilotManager } from './pilot-manager.js';
import { ServiceRegistryFile } from './registry-file.js';
import { RemoteServices } from './remote-services.js';
import { ServiceControl } from './service-control.js';
import { ServiceManager } from './service-manager.js';
import { AbandonedSets } from './tasks/abandoned.js';
import { Dependencies } from './tasks/dependencies.js';
import { Mover } from './tasks/mover.js';
import { OrderLog } from './tasks/order-log.js';
import { Placement } from './tasks/placement.js';
import { SetManager } from './tasks/set-manager.js';
import { TableLimit } from './tasks/table-limit.js';
import { TaskManager } from './tasks/task-manager.js';
import { TaskWriter } from './tasks/task-writer.js';

/** The managers of a bridge, each over its own kind of thing. */
export interface Managers {
  readonly pilots: PilotManager;
  readonly control: PilotControl;
  readonly tasks: TaskManager;
  readonly sets: SetManager;
  readonly data: DataManager;
  readonly services: ServiceManager;
  readonly serviceControl: ServiceControl;
  readonly batches: BatchManager;
  readonly templates: TemplateRegistry;
  readonly contacts: ContactWatch;
  readonly mover: Mover;
  readonly remotes: RemoteServices;
  readonly registry: ServiceRegistryFile;
  /** Stops following the picture. */
  close(): Promise<void>;
}

/** Milliseconds that a set whose client is gone stays open for it to come back. */
const PATIENCE_MS = 10 * 60_000;

/** Tasks that are kept, about 300 MB of them. */
const MOST_TASKS = 1_000_000;

/** Builds the managers over what they share. */
export function createManagers(context: Context): Managers {
  const templates = templatesOf(context.config);
  const pilots: PilotManager = new PilotManager(context, {
    came: (pilot) => mover.pilotCame(pilot),
    ended: (pilot) => mover.pilotEnded(pilot),
  });
  const placement = new Placement(context, pilots);
  const dependencies = new Dependencies(context);
  const remotes = new RemoteServices(context);
  const writer: TaskWriter = new TaskWriter(
    context,
    placement,
    dependencies,
    (pilot) => mover.pilotEnded(pilot),
    remotes,
  );
  const mover = new Mover(context, placement, writer, dependencies);
  const tasks = new TaskManager(context, pilots, placement, writer);
  const abandoned = new AbandonedSets(context, PATIENCE_MS);
  const sets = new SetManager(context, pilots, placement, writer, tasks, abandoned);
  const data = new DataManager(context, tasks);
  const services = new ServiceManager(context, pilots, templates, new Credentials(context.config.home));
  const serviceControl = new ServiceControl(context);
  const batches = new BatchManager(context, pilots, remotes);
  const contacts = new ContactWatch(context, (pilot) => pilots.ended(pilot));
  const control = new PilotControl(context, pilots);
  const order = new OrderLog(context);
  const { tasks: table } = context.picture;
  table.onEnd = (slot) => dependencies.ended(slot);
  table.onReturn = (slot) => mover.returned(slot);
  const registry = new ServiceRegistryFile(context);
  const stops = [order.follow(), batches.follow(), new TableLimit(context, MOST_TASKS).follow()];
  const close = async (): Promise<void> => {
    for (const stop of stops) stop();
    await remotes.close();
    await registry.close();
    abandoned.close();
    contacts.close();
  };
  return {
    pilots,
    control,
    tasks,
    sets,
    data,
    services,
    serviceControl,
    batches,
    templates,
    contacts,
    mover,
    remotes,
    registry,
    close,
  };
}
