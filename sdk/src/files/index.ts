/**
 * Files of tasks, for bridge and agent only: both give them out, from where they lie, by the same rules. Node only.
 * Not part of the public interface; it may change with any release.
 */
export * from './inside.js';
export * from './pattern.js';
export * from './task-folder.js';
