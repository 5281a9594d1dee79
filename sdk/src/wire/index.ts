export * from './journal.js';
export * from './launcher.js';
export * from './lease.js';
export * from './link.js';
export * from './spool.js';
