import { nullTranslator } from '@jupyterlab/translation';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeTask, FRESH } from '../src/dialogs/task-form.js';
import { commandLine, parseCommandLine } from '../src/format/argv.js';
import { snippet } from '../src/format/snippets.js';
import { descriptionFacts, writtenDescription } from '../src/task/description.js';

const trans = nullTranslator.load('pilothouse');

describe('a command line', () => {
  it.each([
    ['python prep.py --well A01', ['python', 'prep.py', '--well', 'A01']],
    [`bash -c 'echo "a b"'`, ['bash', '-c', 'echo "a b"']],
    ['a\\ b "c\\"d" "" e\'f\'g', ['a b', 'c"d', '', 'efg']],
    ['echo "|" \\>', ['echo', '|', '>']],
    ['  ', []],
  ])('%s', (text, words) => {
    expect(parseCommandLine(text).words).toEqual(words);
  });

  it.each([
    ['echo "a', 'quote'],
    ['echo a\\', 'escape'],
    ['a | b', 'shell'],
    ['a && b', 'shell'],
    ['a > out', 'shell'],
  ])('%s is refused', (text, problem) => {
    expect(parseCommandLine(text).problem).toBe(problem);
  });

  it('is the same again whatever the words', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (words) => {
        expect(parseCommandLine(commandLine(words)).words).toEqual(words);
      }),
    );
  });
});

describe('the form of a task', () => {
  const value = {
    ...FRESH,
    commandLine: 'python prep.py',
    cores: 2,
    gpus: 0.5,
    memory: '4GiB',
    retries: 2,
    environmentKind: 'venv',
    environmentName: 'env',
    env: 'A=1\nB=x y',
    setup: 'module load gcc\n',
  };

  it('becomes a description, written without what is as it always is', () => {
    const { description, issues } = describeTask(value, trans);
    expect(issues).toEqual([]);
    expect(description && writtenDescription(description)).toEqual({
      command: ['python', 'prep.py'],
      cores: 2,
      gpus: 0.5,
      memory: '4GiB',
      retries: 2,
      environment: { venv: 'env' },
      env: { A: '1', B: 'x y' },
      setup: ['module load gcc'],
    });
  });

  it('becomes code', () => {
    const { description } = describeTask({ ...FRESH, commandLine: 'hostname', cores: 2 }, trans);
    if (description === null) throw new Error('the form is right');
    const subject = { kind: 'new-task', description: writtenDescription(description) } as const;
    expect(snippet(subject, 'python')).toContain('s.tasks.submit(["hostname"], cores=2)');
    expect(snippet(subject, 'tslab')).toContain("session.tasks.submit({ command: ['hostname'], cores: 2 })");
  });

  it('says what stands against it, field by field', () => {
    const { description, issues } = describeTask(
      { ...value, commandLine: 'a "b', memory: 'much', env: 'nothing', environmentName: '' },
      trans,
    );
    expect(description).toBeNull();
    expect(issues.map(({ path }) => path[0]).sort()).toEqual(['commandLine', 'env', 'environmentName', 'memory']);
  });

  it('is told in words', () => {
    const { description } = describeTask(value, trans);
    const facts = description === null ? [] : descriptionFacts(description, trans);
    expect(Object.fromEntries(facts.map((fact) => [fact.name, fact.value]))).toMatchObject({
      Command: 'python prep.py',
      Cores: '2',
      GPUs: '0.5',
      Memory: '4 GiB',
      Environment: 'venv env',
      Variables: 'A=1 B=x y',
    });
  });
});
