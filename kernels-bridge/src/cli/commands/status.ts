import type { Session } from '@pilothouse/sdk/node';
import { type Command, EXIT } from '../command.js';
import { pilotTable, serviceTable, taskTable } from '../rows.js';
import { findBridge, pilotsRun, withSession } from '../session.js';

/** What lives: bridge, pilots, services, tasks. Starts nothing where nothing runs. */
export const status: Command = {
  name: 'status',
  usage: 'status',
  summary: 'What runs at the moment; starts nothing',
  words: [0, 0],
  async run({ config, result }) {
    if ((await findBridge(config)) === null && !(await pilotsRun(config))) {
      const idle = { running: false, bridge: null, pilots: [], services: [], tasks: [] };
      result(idle, () => 'Pilothouse does not run, and nothing of yours runs in it.');
      return EXIT.ok;
    }
    const report = await withSession(read);
    result(report, () => {
      const { bridge, pilots, services, tasks } = report;
      const where = bridge === null ? '' : ` ${bridge.version} on ${bridge.host}`;
      const parts = [`Pilothouse${where}`, pilotTable(pilots)];
      if (services.length > 0) parts.push(serviceTable(services));
      if (tasks.length > 0) parts.push(taskTable(tasks.slice(0, 20)));
      if (tasks.length > 20) parts.push(`and ${tasks.length - 20} more tasks; see them with: pilothouse tasks`);
      return parts.join('\n\n');
    });
    return EXIT.ok;
  },
};

async function read(session: Session) {
  const [pilots, services, tasks] = await Promise.all([
    session.pilots.list(),
    session.services.list(),
    session.tasks.list(),
  ]);
  return {
    running: true,
    bridge: session.connection.bridge,
    pilots: pilots.map(({ record }) => record),
    services: services.map(({ record }) => record),
    tasks: tasks.map(({ record }) => record),
  };
}
