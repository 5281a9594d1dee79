export * from './answer.js';
export * from './common.js';
export * from './pilot.js';
export * from './service.js';
export * from './system.js';
export * from './task.js';
export * from './view.js';
