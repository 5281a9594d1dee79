// What goes on after JupyterLab has stopped, said in words, so that nothing is left running silently.
import { CLI_MAIN, NODE24 } from '../lib/paths.mjs';
import { runCaptured } from '../lib/processes.mjs';

const FINAL = new Set(['DONE', 'FAILED', 'CANCELED', 'STOPPED']);
const plural = (count, word) => `${count} ${word}${count === 1 ? '' : 's'}`;

/** Asks Pilothouse what still runs; it starts nothing where nothing runs. */
export async function stillRunning() {
  const { status, output } = await runCaptured([NODE24, CLI_MAIN, 'status', '--json'], { timeoutMs: 15_000 });
  const report = status === 0 ? parse(output) : undefined;
  // No answer is not the answer "nothing": whoever leaves now must know that something may go on.
  return report === undefined ? [...UNKNOWN, output.trimEnd()] : sentences(report);
}

const UNKNOWN = ['Ask again what still runs:  npx pilothouse status', 'Pilothouse could not be asked just now:'];

/** The report is one line of JSON; notes for people may stand around it. */
function parse(output) {
  for (const line of output.split('\n').filter((text) => text.startsWith('{'))) {
    try {
      return JSON.parse(line);
    } catch {
      // A note that begins with a brace: the report may be a later line.
    }
  }
  return undefined;
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
