import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JournalRecord, journalRecordSchema } from '@pilothouse/sdk/shared';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../src/journal/journal.js';
import { parseLines } from '../src/journal/json-lines.js';
import { readPast } from '../src/journal/replay.js';
import { TestPilot, until } from './pilot.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pj'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('lines of a journal', () => {
  it('come back as they were written, wherever the writer was cut off', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 20 }), fc.nat(), (values, cut) => {
        const ends: number[] = [];
        let content = Buffer.alloc(0);
        for (const value of values) {
          content = Buffer.concat([content, Buffer.from(`${JSON.stringify(value)}\n`)]);
          ends.push(content.length);
        }
        const length = content.length === 0 ? 0 : cut % (content.length + 1);
        const whole = ends.filter((end) => end <= length).length;
        const parsed = parseLines(content.subarray(0, length), 'file');
        expect(parsed.lines.map(({ value }) => value)).toEqual(
          values.slice(0, whole).map((one) => JSON.parse(JSON.stringify(one))),
        );
        expect(parsed.length).toBe(whole === 0 ? 0 : ends[whole - 1]);
      }),
    );
  });

  it('never pass a bad line in silence: the error names file and line', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { minLength: 1, maxLength: 10 }), fc.nat(), (values, at) => {
        const lines = values.map((value) => JSON.stringify(value));
        const bad = at % lines.length;
        lines[bad] = `${lines[bad]}}`;
        expect(() => parseLines(Buffer.from(`${lines.join('\n')}\n`), 'some/file')).toThrow(
          `some/file, line ${bad + 1}, is not JSON`,
        );
      }),
    );
  });
});

describe('the journal', () => {
  it('numbers over epochs, calls back when it stands in the file, and gives back what was written', async () => {
    const first = await Journal.open(folder, 1, 0);
    const order: string[] = [];
    first.append({ type: 'task', id: 'a', state: 'RUNNING' }, () => order.push('running'));
    first.append({ type: 'task', id: 'a', state: 'DONE', exitCode: 0 }, () => order.push('done'));
    await first.flush();
    expect(order).toEqual(['running', 'done']);
    await first.close();
    const past = await readPast(folder);
    expect(past).toMatchObject({ epoch: 1, seq: 2 });
    expect(past.tasks.get('a')).toMatchObject({ state: 'DONE', exitCode: 0 });
    const second = await Journal.open(folder, 2, past.seq);
    for (let index = 0; index < 20_000; index += 1)
      second.append({ type: 'task', id: `b${index}`, state: 'SCHEDULING' });
    await second.flush();
    const all: JournalRecord[] = [];
    for (let batch = await second.since(0, 700); batch.lines.length > 0; batch = await second.since(batch.last, 700))
      all.push(...batch.lines.map((line) => journalRecordSchema.parse(JSON.parse(line))));
    expect(all.map(({ seq }) => seq)).toEqual(Array.from({ length: 20_002 }, (_, index) => index + 1));
    await second.close();
  });

  it('lets one agent alone write an epoch', async () => {
    const journal = await Journal.open(folder, 1, 0);
    await expect(Journal.open(folder, 1, 0)).rejects.toThrow('EEXIST');
    await journal.close();
  });

  it('cuts a torn last line and refuses a bad one elsewhere', async () => {
    const journal = await Journal.open(folder, 1, 0);
    journal.append({ type: 'task', id: 'a', state: 'RUNNING' });
    await journal.close();
    const file = join(folder, '1.jsonl');
    const good = readFileSync(file, 'utf8');
    appendFileSync(file, '{"seq":2,"epoch":1,"t":"2026-01-');
    expect((await readPast(folder)).seq).toBe(1);
    expect(readFileSync(file, 'utf8')).toBe(good);
    writeFileSync(file, `${good}{"seq":2,"type":"task"}\n${good}`);
    await expect(readPast(folder)).rejects.toMatchObject({ code: 'LOG_DAMAGED', evidence: `${file}:2` });
  });
});

describe('an agent with a journal of earlier ones', () => {
  it('goes on after a torn last line', async () => {
    const pilot = new TestPilot();
    const done = { seq: 1, epoch: 1, t: new Date().toISOString(), type: 'task', id: 'old', state: 'DONE' };
    writeFileSync(join(pilot.folder, 'journal', '1.jsonl'), `${JSON.stringify(done)}\n{"seq":2,"epo`);
    pilot.spool([pilot.task('old', ['touch', 'again']), pilot.task('new', ['ls'])]);
    pilot.start();
    await pilot.state('new', 'DONE');
    expect(pilot.stdout('new')).toBe('');
    expect(pilot.journal().map(({ seq }) => seq)).toEqual(pilot.journal().map((_, index) => index + 1));
    await pilot.end();
  });

  it('stops at a damaged line, names it, and goes on once it is put right; what runs runs on', async () => {
    const pilot = new TestPilot();
    pilot.spool([pilot.task('runs', ['sleep', '600'])]);
    pilot.start();
    await pilot.state('runs', 'RUNNING');
    const file = join(pilot.folder, 'journal', '1.jsonl');
    const good = readFileSync(file, 'utf8');
    const [agent = 0] = pilot.agents();
    process.kill(agent, 'SIGSTOP');
    writeFileSync(file, `damaged\n${good}`);
    process.kill(agent, 'SIGKILL');
    await until('it says where', () => pilot.log().includes(`${file}, line 1, is not JSON`));
    expect(pilot.running()).toHaveLength(1);
    writeFileSync(file, good);
    pilot.spool([pilot.task('after', ['true'])]);
    await pilot.state('after', 'DONE');
    expect(pilot.last('runs')?.state).toBe('RUNNING');
    await pilot.end();
  });
});
