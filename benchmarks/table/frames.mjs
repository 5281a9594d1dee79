// What a recording of Chromium says about the work of the page's main thread.

/** Tasks of the main thread of the page that held the most of them, with the time each took of the processor. */
function mainTasks(events) {
  const threads = new Map();
  for (const event of events) {
    if (event.ph !== 'X' || event.name !== 'ThreadControllerImpl::RunTask') continue;
    const key = `${event.pid} ${event.tid}`;
    const list = threads.get(key) ?? [];
    list.push({ start: event.ts, wall: event.dur, work: event.tdur ?? event.dur });
    threads.set(key, list);
  }
  const names = new Map(
    events
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(({ pid, tid }) => [`${pid} ${tid}`, true]),
  );
  const mains = [...threads].filter(([key]) => names.has(key)).map(([, list]) => list);
  const total = (list) => list.reduce((sum, { work }) => sum + work, 0);
  return mains.sort((a, b) => total(b) - total(a))[0] ?? [];
}

/** Shorter than this nothing was drawn: timers and the like. */
const IDLE_MS = 0.2;

/**
 * Work of the main thread per frame of a 60 Hz screen, in milliseconds, one value for each frame in which there was any:
 * everything counts, whoever caused it. Frames without work are left out; they would only make the figure look better.
 */
export function workPerFrame(events) {
  const tasks = mainTasks(events).sort((a, b) => a.start - b.start);
  if (tasks.length === 0) throw new Error('the recording holds no task of a main thread');
  const frame = 1_000_000 / 60;
  const frames = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const { start, work, wall } of tasks) {
    // A task that goes on beyond its frame holds up the next one: what follows at once still belongs to it.
    if (start >= end) {
      frames.push(0);
      end = start + frame;
    }
    frames[frames.length - 1] += work / 1000;
    end = Math.max(end, start + wall);
  }
  return frames.filter((work) => work > IDLE_MS);
}
