export { additionSchema, type Contract, contract, flowSchema, type WatchBatch, watchBatchSchema } from './contract.js';
