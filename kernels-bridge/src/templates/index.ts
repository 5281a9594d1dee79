export { TemplateRegistry } from './registry.js';
export { SmolLm2Template } from './smollm2.js';
export type { LaunchPlan, Template } from './template.js';
