import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Client, eventually, newKey, origin, TestHome } from './support/bridge.js';

let place: TestHome;
beforeEach(async () => {
  place = await TestHome.make();
});
afterEach(() => place.close());

async function activePilot(client: Client, name: string, runtime: string): Promise<string> {
  const { id } = await client.pilots.submit({ description: { name, cores: 1, runtime }, origin, key: newKey() });
  await eventually('ACTIVE', async () => (await client.pilots.get({ ref: id })).state === 'ACTIVE');
  return id;
}

describe('a task that is cut off by the end of its pilot', () => {
  it('goes on in the next pilot from its checkpoint, and has used no retry up', async () => {
    const { client } = await place.serve();
    const saves = [
      'if [ -f "$PILOTHOUSE_CHECKPOINT/state" ]; then echo resumed; exit 0; fi',
      `trap 'touch "$PILOTHOUSE_CHECKPOINT/state"; exit 0' USR1`,
      'while :; do sleep 0.05; done',
    ].join('\n');
    const first = await activePilot(client, 'first', '4s');
    const { id } = await client.tasks
      .submit({
        tasks: [
          {
            description: {
              command: ['sh', '-c', saves],
              checkpoint: `${place.home}/saved`,
              onWalltime: { signal: 'USR1', grace: '2s' },
            },
            key: newKey(),
          },
        ],
        origin,
      })
      .then(([one]) => one ?? expect.fail('no task came back'));
    await eventually('the first pilot is over', async () => (await client.pilots.get({ ref: first })).state === 'DONE');
    const second = await activePilot(client, 'second', '10m');
    await eventually('DONE', async () => (await client.tasks.get({ ref: id })).state === 'DONE');
    expect(await client.tasks.get({ ref: id })).toMatchObject({ pilot: second, attempt: 1, exitCode: 0 });
    const log = await client.tasks.log({ ref: id, stream: 'stdout', offset: 0 });
    expect(log.text).toBe('resumed\n');
  });
});
