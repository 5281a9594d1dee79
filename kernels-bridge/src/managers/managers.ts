import type { Context } from '../context.js';
import { builtInTemplates, type TemplateRegistry } from '../templates/index.js';
import { ContactWatch } from './contact-watch.js';
import { PilotManager } from './pilot-manager.js';
import { ServiceManager } from './service-manager.js';
import { TaskManager } from './task-manager.js';

/** The managers of a bridge, each over its own kind of thing. */
export interface Managers {
  readonly pilots: PilotManager;
  readonly tasks: TaskManager;
  readonly services: ServiceManager;
  readonly templates: TemplateRegistry;
  readonly contacts: ContactWatch;
}

/** Builds the managers over what they share. */
export function createManagers(context: Context): Managers {
  const templates = builtInTemplates(context.config);
  const pilots = new PilotManager(context);
  const tasks = new TaskManager(context, pilots);
  const services = new ServiceManager(context, pilots, templates);
  const contacts = new ContactWatch(context, (pilot) => pilots.ended(pilot));
  return { pilots, tasks, services, templates, contacts };
}
