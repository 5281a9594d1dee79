// `npm run bench -- NAME [--json]`: progress on stderr, the figures as the last line on stdout.
import { balance } from './balance/index.mjs';
import { batch } from './batch/index.mjs';
import { bootstrap } from './bootstrap/index.mjs';
import { bridge } from './bridge/index.mjs';
import { response } from './response/index.mjs';
import { scheduler } from './scheduler/index.mjs';
import { table } from './table/index.mjs';
import { tasks } from './tasks/index.mjs';

const BENCHES = { balance, batch, bootstrap, bridge, response, scheduler, table, tasks };
const [name, ...flags] = process.argv.slice(2);
const bench = BENCHES[name];
if (bench === undefined) {
  console.error(`Name a bench: ${Object.keys(BENCHES).join(', ')}. Example: npm run bench -- bridge --json`);
  process.exit(2);
}
const figures = await bench((text) => console.error(text), flags);
if (flags.includes('--json')) console.log(JSON.stringify(figures));
else console.table(Object.fromEntries(Object.entries(figures).filter(([key]) => key !== 'spread')));
