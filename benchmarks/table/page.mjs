// Runs in the browser, inside a JupyterLab with the extension. Puts a session in memory in the place of the page's own,
// and lets it say what a bridge would say of many tasks while they run: batches of compact rows, ten a second.
import { createTestSession, testPilot, testTaskSet } from '@pilothouse/sdk/testing';
import { BehaviorSubject, Observable } from 'rxjs';

const CHUNK = 5000;
const PER_SECOND = 10;
const RUNNING = 2000;

/** The extension's shared service, which its panels read everything from. */
function shared(app) {
  const services = app.pluginRegistry._services ?? app._services;
  const token = [...services.keys()].find(({ name }) => name === '@pilothouse/jupyterlab:IPilothouse');
  return app.resolveOptionalService(token);
}

/** One row as it comes over the wire. */
function row(set, number, state, at) {
  const started = state === 'RUNNING' || state === 'DONE' || state === 'FAILED';
  const ended = state === 'DONE' || state === 'FAILED';
  const reason = state === 'FAILED' ? 'exit code 1: index not found' : state === 'WAITING' ? 'Waits for 1 core.' : null;
  return [
    `${set}.${number}`,
    `well-${number}`,
    set,
    state,
    reason,
    at,
    'pilot-0000000000',
    1,
    1,
    0,
    at - 60_000,
    started ? at - 1000 : null,
    ended ? at : null,
    ended ? (state === 'DONE' ? 0 : 1) : null,
  ];
}

/**
 * What a set of `size` tasks looks like while `changes` of them a second start and end: those that run are next to each
 * other, as they are when tasks start in the order they were submitted.
 */
function generator(set, size, changes) {
  const states = new Uint8Array(size);
  let first = 0;
  let next = RUNNING;
  states.fill(1, 0, RUNNING);
  const word = (code) => ['WAITING', 'RUNNING', 'DONE', 'FAILED'][code];
  return {
    all: () => Array.from({ length: size }, (_, number) => row(set, number, word(states[number]), Date.now())),
    /** One tick: as many start as end. */
    tick() {
      const rows = [];
      for (let index = 0; index < changes / PER_SECOND / 2; index += 1) {
        states[first] = first % 50 === 7 ? 3 : 2;
        states[next] = 1;
        rows.push(row(set, first, word(states[first]), Date.now()), row(set, next, 'RUNNING', Date.now()));
        first = (first + 1) % size;
        next = (next + 1) % size;
      }
      return rows;
    },
  };
}

/** A stream like `session.tasks.rows$`: everything in pieces, then what changes; each batch as the text it travels as. */
function rowsOf(source) {
  return new Observable((subscriber) => {
    const say = (batch) => subscriber.next(JSON.parse(JSON.stringify({ epoch: 1, seq: 0, removed: [], ...batch })));
    const all = source.all();
    for (let from = 0; from < all.length; from += CHUNK) {
      const rows = all.slice(from, from + CHUNK);
      say({ reset: from === 0, more: from + CHUNK < all.length, rows });
    }
    const timer = setInterval(() => say({ reset: false, more: false, rows: source.tick() }), 1000 / PER_SECOND);
    return () => clearInterval(timer);
  });
}

/** Opens the page of tasks on `size` tasks of which `changes` a second change; resolves when all rows are there. */
globalThis.openTable = async (size, changes) => {
  const app = globalThis.jupyterapp;
  const service = await shared(app);
  const pilot = testPilot({ id: 'pilot-0000000000', name: 'train' });
  const set = testTaskSet({
    name: 'preprocess',
    counts: { total: size, waiting: size - RUNNING, running: RUNNING, done: 0, failed: 0, canceled: 0, resumed: 0 },
  });
  const { session } = createTestSession({ picture: { pilots: [pilot], sets: [set] } });
  const source = generator(set.id, size, changes);
  session.tasks.rows$ = () => rowsOf(source);
  service.session = session;
  const connected = { state: 'connected', error: null, bridge: null };
  const link = new BehaviorSubject(connected);
  service.link = { value: connected, value$: link, retry: async () => undefined };
  await app.commands.execute('pilothouse:open-tasks', { set: null });
};
