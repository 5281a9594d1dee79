// Bridge running, no pilot: from `pilots.submit` to DONE of a first task, in milliseconds.
import { connect } from '@pilothouse/sdk/node';

export async function firstTask(stack, repeats) {
  const session = await connect({ name: 'bench' });
  const samples = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const start = performance.now();
    const pilot = await session.pilots.submit({ cores: 1, runtime: '10m' });
    const task = await session.tasks.submit({ command: ['/bin/true'], cwd: stack.workspace, pilot });
    const { state } = await task.done({ timeout: '60s' });
    samples.push(performance.now() - start);
    if (state !== 'DONE') throw new Error(`the task ended ${state}`);
    await pilot.end();
    await pilot.done({ timeout: '60s' });
  }
  await session.close();
  return samples;
}
