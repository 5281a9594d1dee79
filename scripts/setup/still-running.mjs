// What goes on after JupyterLab has stopped, said in words, so that nothing is left running silently.
import { CLI_MAIN, NODE24 } from '../lib/paths.mjs';
import { runCaptured } from '../lib/processes.mjs';

const FINAL = new Set(['DONE', 'FAILED', 'CANCELED', 'STOPPED']);
const plural = (count, word) => `${count} ${word}${count === 1 ? '' : 's'}`;

/** Asks Pilothouse what still runs, without starting it: where it does not run, nothing does. */
export async function stillRunning() {
  const { status, output } = await runCaptured([NODE24, CLI_MAIN, 'status', '--json'], { timeoutMs: 15_000 });
  const report = parse(output);
  if (status !== 0 || report === undefined) return ['Nothing of Pilothouse runs any more.'];
  return sentences(report);
}

function parse(output) {
  const start = output.indexOf('{');
  if (start < 0) return undefined;
  try {
    return JSON.parse(output.slice(start));
  } catch {
    // Not a report: the command said in words that Pilothouse does not run.
    return undefined;
  }
}

/** The sentences for one status report. */
export function sentences({ pilots = [], services = [], tasks = [] }, now = Date.now()) {
  const live = (things) => things.filter(({ state }) => !FINAL.has(state));
  const pilotsLeft = live(pilots);
  if (pilotsLeft.length === 0) return ['Nothing of Pilothouse runs any more.'];
  const on = [
    [live(services).length, 'service'],
    [live(tasks).length, 'task'],
  ].filter(([count]) => count > 0);
  const verb = pilotsLeft.length === 1 ? 'runs' : 'run';
  return [
    `${plural(pilotsLeft.length, 'pilot')} still ${verb}${on.length > 0 ? `, with ${on.map(([n, w]) => plural(n, w)).join(' and ')}` : ''}:`,
    ...pilotsLeft.map((pilot) => `  ${pilot.name}  ${pilot.state}${until(pilot, now)}`),
    'End everything:  npx pilothouse end --all      Go on:  npm start',
  ];
}

function until({ endsAt }, now) {
  if (!endsAt) return '';
  const minutes = Math.max(0, Math.round((Date.parse(endsAt) - now) / 60_000));
  const clock = new Date(endsAt).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  return `  ends by itself at ${clock}, in ${minutes} min`;
}
