import type { Config } from '../config.js';
import { TemplateRegistry } from './registry.js';
import { SmolLm2Template } from './smollm2.js';

export { TemplateRegistry } from './registry.js';
export { SmolLm2Template } from './smollm2.js';
export type { LaunchPlan, Template } from './template.js';

/** Every template that Pilothouse brings. A new one is added here, and nowhere else. */
export function builtInTemplates({ env, launcher }: Pick<Config, 'env' | 'launcher'>): TemplateRegistry {
  return new TemplateRegistry([new SmolLm2Template({ given: env.PILOTHOUSE_DEMO_ENV, launcher })]);
}
