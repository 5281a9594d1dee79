import type { Config } from '../config.js';
import { surroundingsOf } from './availability.js';
import { templateFolders } from './catalogue.js';
import { TemplateRegistry } from './registry.js';

export type { Surroundings } from './availability.js';
export type { BadFile } from './catalogue.js';
export { findings, gpuMemoryHere } from './findings.js';
export { type CompleteDescription, DEFAULT_CONCURRENCY, type Place, TemplateRegistry } from './registry.js';
export { refuseStored } from './secrets.js';
export type { Finding, LaunchChecks, LaunchPlan } from './template.js';

/** The templates of a user: those of Pilothouse, of the site, and the user's own. */
export function templatesOf(config: Pick<Config, 'env' | 'home' | 'launcher'>): TemplateRegistry {
  return new TemplateRegistry(templateFolders(config), surroundingsOf(config));
}
