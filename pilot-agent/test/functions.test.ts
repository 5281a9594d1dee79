import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
function calls(set: string, reference: FunctionReference, args: readonly Payload[], template: TaskBatch['template'] = {}) {
  const tasks = args.map((payload, index) => ({ id: `${set}.${index}`, name: `${set}.${index}`, entry: { args: payload } }));
  return pilot.batch(tasks, { set, template: { ...template, call: { function: reference } } });
}

function module(name: string, text: string): void {
  writeFileSync(join(pilot.work, name), text);
}

const over = (id: string) => pilot.state(id, 'DONE', 'FAILED', 'CANCELED');

async function value(id: string): Promise<unknown> {
  const record = await over(id);
  if (!('value' in record) || record.value === undefined || !('json' in record.value)) {
    throw new Error(`${id} has no value: ${JSON.stringify(record)}`);
  }
  return record.value.json;
}

describe('functions of Python', () => {
  it('calls a module beside the notebook, many calls in few workers, what they print apart', async () => {
    module('scoring.py', 'import os\ndef score(well, by=1):\n    print("scored", well)\n    return [well * by, os.getpid()]\n');
    const count = 300;
    pilot.spool([calls('many', { python: 'scoring:score' }, Array.from({ length: count }, (_, index) => json(index, 3)))]);
    pilot.start();
    const pids = new Set<unknown>();
    for (let index = 0; index < count; index += 1) {
      const found = await value(`many.${index}`);
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
});
