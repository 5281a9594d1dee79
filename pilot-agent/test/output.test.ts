import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OutputRange } from '@pilothouse/sdk/shared';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Output } from '../src/output/output.js';
import { KEEP, leftOutLine } from '../src/output/ranges.js';

const NOTHING = { stdout: 0, stderr: 0 };
let folder: string;
let output: Output;
let opened: Output[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'po'));
  output = await another(1);
});
afterEach(async () => {
  await Promise.all(opened.map((one) => one.close()));
  opened = [];
  rmSync(folder, { recursive: true });
});

async function another(epoch: number): Promise<Output> {
  const made = new Output(join(folder, 'live'), join(folder, 'pilot'), epoch);
  await made.prepare();
  opened.push(made);
  return made;
}

/** Lends files to a task that writes this; gives them. */
function write(id: string, stdout: string | Buffer, stderr: string | Buffer = ''): { stdout: string; stderr: string } {
  const files = output.lend(id);
  writeFileSync(files.stdout, stdout);
  writeFileSync(files.stderr, stderr);
  return files;
}

function packed({ file, stdout }: OutputRange): Buffer {
  return readFileSync(join(folder, 'pilot', file)).subarray(stdout.offset, stdout.offset + stdout.length);
}

describe('output of tasks', () => {
  it('that is empty costs no file beyond those that are used again', async () => {
    const files = write('a', '');
    expect(await output.pack('a', NOTHING)).toMatchObject({ stdout: { length: 0 }, stderr: { length: 0 } });
    await output.discard('a');
    expect(output.lend('b')).toEqual(files);
    expect(await output.read('a', 'stdout', 0, 100)).toMatchObject({ text: '', complete: true });
  });

  it('lies in one file, byte for byte, whether it came in hand or is copied', async () => {
    const strange = Buffer.from([0, 255, 254, 0x80, 10]);
    const texts = Array.from({ length: 50 }, (_, index) => Buffer.concat([Buffer.from(`${index} `), strange]));
    const ranges = await Promise.all(
      texts.map((text, index) => {
        write(`t${index}`, text, 'oh');
        const captured = { stdout: text.length, stderr: 2, text: { stdout: text.toString('latin1'), stderr: 'oh' } };
        return output.pack(`t${index}`, index % 3 === 0 ? null : captured);
      }),
    );
    for (const [index, range] of ranges.entries()) {
      expect(packed(range)).toEqual(texts[index]);
      expect(await output.read(`t${index}`, 'stderr', 0, 100)).toMatchObject({ text: 'oh', size: 2, complete: true });
    }
    expect(readdirSync(join(folder, 'pilot', 'output'))).toEqual(['1.log']);
  });

  it('is empty again for the next one, however much there was', async () => {
    for (const size of [5, 3 << 20]) {
      const { stdout } = write('a', Buffer.alloc(size, 'x'));
      await output.pack('a', { stdout: size, stderr: 0 });
      await output.discard('a');
      expect(output.lend('b').stdout).toBe(stdout);
      expect(existsSync(stdout) ? readFileSync(stdout).length : 0).toBe(0);
      await output.pack('b', NOTHING);
      await output.discard('b');
    }
  });

  it('keeps both ends of what is too long, live and packed, and says what is left out', async () => {
    const [head, tail] = KEEP;
    const size = head + tail + 1000;
    const content = Buffer.alloc(size, 'm');
    content.write('begin');
    content.write('end', size - 3);
    write('a', content);
    const live = await output.read('a', 'stdout', head, 100);
    expect(live).toMatchObject({ text: leftOutLine(1000), offset: head, next: head + 1000, complete: false });
    expect(await output.read('a', 'stdout', head - 2, 100)).toMatchObject({ text: 'mm', next: head });
    const kept = packed(await output.pack('a', { stdout: size, stderr: 0 }));
    expect(kept.length).toBe(head + leftOutLine(1000).length + tail);
    expect(kept.subarray(0, 5).toString()).toBe('begin');
    expect(kept.subarray(-3).toString()).toBe('end');
  });

  it('has a line of 10 MB in its tail, as far as a tail goes', async () => {
    write('a', '', `first\n${'x'.repeat(10_000_000)}`);
    const tail = await output.stderrTail('a');
    expect(tail).toBe('x'.repeat(4096));
  });

  it('has files of its own beside the packed one where that was asked for', async () => {
    write('a', 'one', 'two');
    await output.pack('a', { stdout: 3, stderr: 3, text: { stdout: 'one', stderr: 'two' } }, true);
    expect(readFileSync(join(folder, 'pilot', 'output', 'a.out'), 'utf8')).toBe('one');
    expect(readFileSync(join(folder, 'pilot', 'output', 'a.err'), 'utf8')).toBe('two');
  });

  it('stays on the node under its own name when it cannot be packed', async () => {
    write('a', 'one');
    output.leave('a');
    expect(readFileSync(join(folder, 'live', 'a.out'), 'utf8')).toBe('one');
    expect(await output.read('a', 'stdout', 0, 10)).toMatchObject({ text: 'one' });
  });
});

describe('a later agent', () => {
  it('goes on with the files of what still runs, and removes those of what has ended', async () => {
    const running = write('a', 'still');
    const ended = write('b', 'over');
    const next = await another(2);
    const seen = {
      id: 'a:1',
      state: 'running' as const,
      pid: 1,
      files: [running.stdout, running.stderr] as [string, string],
    };
    await next.tidy([seen]);
    next.adopt('a', seen);
    expect(existsSync(ended.stdout)).toBe(false);
    expect(await next.read('a', 'stdout', 0, 10)).toMatchObject({ text: 'still', complete: false });
    expect(packed(await next.pack('a', { stdout: 5, stderr: 0 })).toString()).toBe('still');
    await next.discard('a');
    expect(existsSync(running.stdout)).toBe(false);
    expect(Object.values(next.lend('c'))).not.toContain(running.stdout);
  });
});
