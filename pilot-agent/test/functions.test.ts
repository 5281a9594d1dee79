import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FunctionReference, Payload, TaskBatch } from '@pilothouse/sdk/shared';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestPilot, until } from './pilot.js';

let pilot: TestPilot;
beforeEach(() => {
  pilot = new TestPilot({ cores: 2 });
});
afterEach(() => pilot.destroy());

const json = (...args: unknown[]): Payload => ({ json: args }) as Payload;

/** A set of calls of one function, as a bridge spools it. */
function calls(
  set: string,
  reference: FunctionReference,
  args: readonly Payload[],
  template: TaskBatch['template'] = {},
) {
  const tasks = args.map((payload, index) => ({
    id: `${set}.${index}`,
    name: `${set}.${index}`,
    entry: { args: payload },
  }));
  return pilot.batch(tasks, { set, template: { ...template, call: { function: reference } } });
}

function module(name: string, text: string): void {
  writeFileSync(join(pilot.work, name), text);
}

const over = (id: string) => pilot.state(id, 'DONE', 'FAILED', 'CANCELED');

/** Final records so far, by task: the journal is read once for all of them. */
function finals(): Map<string, Awaited<ReturnType<typeof over>>> {
  const found = new Map<string, Awaited<ReturnType<typeof over>>>();
  for (const record of pilot.journal()) {
    if (record.type !== 'task' || !['DONE', 'FAILED', 'CANCELED'].includes(record.state)) continue;
    if (found.has(record.id)) throw new Error(`${record.id} has ended twice`);
    found.set(record.id, record);
  }
  return found;
}

async function ended(ids: readonly string[]): Promise<ReturnType<typeof finals>> {
  const look = () => {
    const found = finals();
    return ids.every((id) => found.has(id)) ? found : undefined;
  };
  return until(
    'all have ended',
    look,
    () => `${ids.filter((id) => !finals().has(id)).slice(0, 5)}\n${pilot.log()}`,
    60,
  );
}

/** Numbers that calls have written down, sorted. */
function ran(): number[] {
  const lines = readFileSync(join(pilot.work, 'ran'), 'utf8').trim().split('\n');
  return lines.map(Number).sort((a, b) => a - b);
}

async function value(id: string): Promise<unknown> {
  return jsonOf(id, await over(id));
}

function jsonOf(id: string, record: Awaited<ReturnType<typeof over>>): unknown {
  if (!('value' in record) || record.value === undefined || !('json' in record.value)) {
    throw new Error(`${id} has no value: ${JSON.stringify(record)}`);
  }
  return record.value.json;
}

describe('functions of Python', () => {
  it('calls a module beside the notebook, many calls in few workers, what they print apart', async () => {
    module(
      'scoring.py',
      'import os\ndef score(well, by=1):\n    print("scored", well)\n    return [well * by, os.getpid()]\n',
    );
    const count = 300;
    pilot.spool([
      calls(
        'many',
        { python: 'scoring:score' },
        Array.from({ length: count }, (_, index) => json(index, 3)),
      ),
    ]);
    pilot.start();
    const pids = new Set<unknown>();
    for (const [id, record] of await ended(Array.from({ length: count }, (_, index) => `many.${index}`))) {
      const found = jsonOf(id, record);
      const index = Number(id.slice('many.'.length));
      expect(Array.isArray(found) && found[0]).toBe(3 * index);
      if (Array.isArray(found)) pids.add(found[1]);
    }
    expect(pids.size).toBeLessThanOrEqual(2);
    expect(pilot.stdout('many.7')).toBe('scored 7\n');
    await pilot.end();
    expect(existsSync(join(pilot.runtimeDir, 'f', `${pilot.id}.sock`))).toBe(false);
  });

  it('tells an exception with its traceback, and what is not there with the remedy', async () => {
    module('bad.py', 'def divide(a, b):\n    return a / b\ndef end():\n    import os\n    os.kill(os.getpid(), 9)\n');
    pilot.spool([
      calls('divide', { python: 'bad:divide' }, [json(1, 0)]),
      calls('absent', { python: 'no_such_module:f' }, [json()]),
      calls('attribute', { python: 'bad:nothing' }, [json()]),
      calls('old', { pickled: 'aGFsbG8=', name: 'f', version: '3.2' }, [json()]),
      calls('killed', { python: 'bad:end' }, [json()]),
      calls('interpreter', { python: 'bad:divide' }, [json(1, 2)], {}),
    ]);
    pilot.start();
    const divide = await over('divide.0');
    expect(divide).toMatchObject({
      state: 'FAILED',
      error: { code: 'FUNCTION_RAISED' },
      exception: { type: 'ZeroDivisionError', message: 'division by zero' },
    });
    expect(JSON.stringify(divide)).toContain('bad.py\\", line 2, in divide');
    expect(JSON.stringify(divide)).not.toContain('pilothouse_worker');
    expect((await over('absent.0')).error).toMatchObject({ code: 'FUNCTION_NOT_FOUND' });
    expect((await over('absent.0')).error?.message).toContain(pilot.work);
    expect((await over('attribute.0')).error).toMatchObject({ code: 'FUNCTION_NOT_FOUND' });
    const old = (await over('old.0')).error;
    expect(old).toMatchObject({ code: 'FUNCTION_NOT_SENDABLE' });
    expect(old?.message).toMatch(/3\.2.*is Python 3\.\d+/);
    expect((await over('killed.0')).error).toMatchObject({ code: 'WORKER_LOST' });
    expect(await value('interpreter.0')).toBe(0.5);
    await pilot.end();
  });

  it('takes calls back from behind a long one, and loses only what was under way with a killed worker', async () => {
    module(
      'mixed.py',
      [
        'import os, signal, time',
        'def work(number):',
        '    with open("ran", "a") as file:',
        '        file.write(f"{number}\\n")',
        '    if number == 150:',
        '        while not os.path.exists("go"):',
        '            time.sleep(0.01)',
        '    if number == 160:',
        '        os.kill(os.getpid(), signal.SIGKILL)',
        '    return number',
      ].join('\n'),
    );
    const count = 300;
    pilot.spool([
      calls(
        'mixed',
        { python: 'mixed:work' },
        Array.from({ length: count }, (_, index) => json(index)),
      ),
    ]);
    pilot.start();
    const others = Array.from({ length: count }, (_, index) => index).filter((index) => index !== 150);
    const found = await ended(others.map((index) => `mixed.${index}`));
    expect(pilot.last('mixed.150')?.state).toBe('RUNNING');
    writeFileSync(join(pilot.work, 'go'), '');
    expect((await over('mixed.150')).state).toBe('DONE');
    for (const index of others) {
      const record = found.get(`mixed.${index}`);
      if (index === 160) expect(record?.error).toMatchObject({ code: 'WORKER_LOST' });
      else expect(record?.state).toBe('DONE');
    }
    expect(ran()).toEqual(Array.from({ length: count }, (_, index) => index));
    await pilot.end();
  });

  it('is finished by a restarted agent, and nothing runs twice', async () => {
    module(
      'slow.py',
      'import time\ndef work(number):\n    with open("ran", "a") as file:\n        file.write(f"{number}\\n")\n    time.sleep(0.002)\n    return number\n',
    );
    const count = 500;
    pilot.spool([
      calls(
        'slow',
        { python: 'slow:work' },
        Array.from({ length: count }, (_, index) => json(index)),
      ),
    ]);
    pilot.start();
    for (const share of [0.1, 0.4, 0.7]) {
      await until('some of them have ended', () => finals().size > share * count);
      for (const pid of pilot.agents()) process.kill(pid, 'SIGKILL');
    }
    const found = await ended(Array.from({ length: count }, (_, index) => `slow.${index}`));
    expect([...found.values()].every(({ state }) => state === 'DONE')).toBe(true);
    expect(ran()).toEqual(Array.from({ length: count }, (_, index) => index));
    await pilot.end();
  });

  it('cancels what waits and what runs, and starts afresh when a module has changed', async () => {
    module('first.py', 'import time\ndef work(wait):\n    time.sleep(wait)\n    return 1\n');
    pilot.spool([calls('cancel', { python: 'first:work' }, [json(60), json(60), json(60), json(0)])]);
    pilot.start();
    await pilot.state('cancel.0', 'RUNNING');
    await pilot.state('cancel.1', 'RUNNING');
    pilot.spool([{ type: 'cancel-tasks', tasks: ['cancel.0', 'cancel.1', 'cancel.2'] }]);
    for (const index of [0, 1, 2]) expect((await over(`cancel.${index}`)).state).toBe('CANCELED');
    expect(await value('cancel.3')).toBe(1);
    module('first.py', 'def work(wait):\n    return "changed"\n');
    pilot.spool([calls('changed', { python: 'first:work' }, [json(0)])]);
    expect(await value('changed.0')).toBe('changed');
    await pilot.end();
  });
});

describe('functions of TypeScript', () => {
  it('calls exports of a module, with what its project has, and refuses other forms with the remedy', async () => {
    mkdirSync(join(pilot.work, 'node_modules', 'doubling'), { recursive: true });
    module('node_modules/doubling/package.json', '{"name":"doubling","type":"module","main":"index.js"}');
    module('node_modules/doubling/index.js', 'export const double = (n) => 2 * n;\n');
    module(
      'tile.ts',
      [
        "import { double } from 'doubling';",
        'interface Tile { n: number }',
        'export async function tile({ n }: Tile, by: number): Promise<number[]> { console.log("tile", n); return [double(n) * by]; }',
        'export function bad(): never { throw new RangeError("too far"); }',
        'export const big = (n: number) => "x".repeat(n);',
        'export const odd = () => 1n;',
        'export const answer = 42;',
      ].join('\n'),
    );
    module('enums.ts', 'enum Colour { Red }\nexport const f = () => Colour.Red;\n');
    const tile = join(pilot.work, 'tile.ts');
    pilot.spool([
      calls('tile', { module: tile, export: 'tile' }, [json({ n: 4 }, 3), json({ n: 5 }, 3)]),
      calls('bad', { module: pathToFileURL(tile).href, export: 'bad' }, [json()]),
      calls('big', { module: tile, export: 'big' }, [json(300_000)]),
      calls('odd', { module: tile, export: 'odd' }, [json()]),
      calls('answer', { module: tile, export: 'answer' }, [json()]),
      calls('relative', { module: './tile.ts', export: 'tile' }, [json()]),
      calls('enums', { module: join(pilot.work, 'enums.ts'), export: 'f' }, [json()]),
    ]);
    pilot.start();
    expect(await value('tile.0')).toEqual([24]);
    expect(await value('tile.1')).toEqual([30]);
    expect(pilot.stdout('tile.1')).toBe('tile 5\n');
    const bad = await over('bad.0');
    expect(bad).toMatchObject({ state: 'FAILED', exception: { type: 'RangeError', message: 'too far' } });
    expect(JSON.stringify(bad)).toContain('tile.ts:4');
    const big = await over('big.0');
    if (!('value' in big) || !big.value || !('file' in big.value)) throw new Error(JSON.stringify(big));
    expect(big.value.size).toBe(300_002);
    expect(statSync(big.value.file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(big.value.file, 'utf8'))).toHaveLength(300_000);
    for (const [id, code, words] of [
      ['odd', 'FUNCTION_NOT_SENDABLE', 'BigInt'],
      ['answer', 'FUNCTION_NOT_FOUND', 'no function'],
      ['relative', 'FUNCTION_NOT_SENDABLE', './tile.ts'],
      ['enums', 'FUNCTION_NOT_SENDABLE', 'enum'],
    ] as const) {
      const { error } = await over(`${id}.0`);
      expect(error).toMatchObject({ code });
      expect(error?.message).toContain(words);
      expect(error?.hint).toBeTruthy();
    }
    await pilot.end();
  });
});
