import type { Check } from '@pilothouse/sdk/internal';
import { runChecks } from '../../doctor/checks.js';
import { inspectMachine } from '../../engines/local/machine.js';
import { findPython } from '../../engines/local/warden.js';
import { templatesOf } from '../../templates/index.js';
import { type Command, EXIT } from '../command.js';
import { initWorkspace } from '../init/index.js';
import { callBridge, findBridge } from '../session.js';

const MARKS = { ok: '●', warning: '◐', failed: '✕' } as const;

export const doctor: Command = {
  name: 'doctor',
  usage: 'doctor',
  summary: 'Check the installation: what was seen, and what to do',
  words: [0, 0],
  async run({ config, result }) {
    // Checked from here, not by the bridge: most of what can be wrong keeps it from starting.
    const templates = templatesOf(config);
    const checks = await runChecks({
      config,
      findPython: () => findPython(config.env),
      machine: () => inspectMachine(config.env),
      templates: () => templates.report(),
    });
    result({ checks }, () => checks.map(show).join('\n'));
    return checks.some((check) => check.result === 'failed') ? EXIT.unhealthy : EXIT.ok;
  },
};

function show({ title, result, evidence, remedy }: Check): string {
  const line = `${MARKS[result]} ${result.padEnd(7)} ${title}: ${evidence}`;
  return remedy === null ? line : `${line}\n            ${remedy}`;
}

export const init: Command = {
  name: 'init',
  usage: 'init [DIR]',
  summary: 'Make a folder ready for TypeScript notebooks; an existing package.json is kept',
  words: [0, 1],
  async run({ result, note }, { positionals: [directory = '.'] }) {
    const report = await initWorkspace(directory);
    result(report, () => {
      const made = report.created.length > 0 ? `made ${report.created.join(', ')}` : 'everything was there';
      return `${report.directory} is ready for TypeScript notebooks: ${made}.`;
    });
    for (const warning of report.warnings) note(warning);
    return EXIT.ok;
  },
};

export const bridge: Command = {
  name: 'bridge',
  usage: 'bridge stop',
  summary: 'End Pilothouse’s own process; pilots go on and are found again',
  words: [1, 1],
  async run({ config, result, note }, { positionals: [verb] }) {
    if (verb !== 'stop') {
      note('Write: pilothouse bridge stop');
      return EXIT.usage;
    }
    const socket = await findBridge(config);
    if (socket === null) {
      result({ stopped: false }, () => 'Pilothouse does not run.');
      return EXIT.ok;
    }
    await callBridge(socket, 'system/stop');
    result({ stopped: true }, () => 'Pilothouse has been stopped. What runs in pilots goes on.');
    return EXIT.ok;
  },
};
