// Start of a warm worker: `node main.js SOCKET ID FOLDER VALUES MODULES`; the same as `workers/python/worker.py`.
import { Begun } from './begun.js';
import { Caller } from './caller.js';
import { Printed } from './printed.js';
import { watchSources } from './sources.js';
import { Worker } from './worker.js';

const [, , socket = '', id = '', folder = '', values = '', modules = ''] = process.argv;
watchSources(new URL('.', import.meta.url).href);
const caller = new Caller(values, modules, new Printed(process.stdout), new Printed(process.stderr));
process.argv.length = 2;
new Worker(socket, id, new Begun(folder), caller).run();
