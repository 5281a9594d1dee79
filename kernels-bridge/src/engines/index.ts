export type { Engine, EngineEvent, EnginePilot, Examination, Explanation, KnownPilot, PilotSpec } from './engine.js';
export { EngineRegistry } from './registry.js';
