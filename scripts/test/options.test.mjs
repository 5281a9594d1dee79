import { describe, expect, test } from 'vitest';
import { HELP, parseOptions } from '../setup/options.mjs';

describe('options of npm start', () => {
  test('without any: a free port, a browser, ./workspace, the root path', () => {
    expect(parseOptions([])).toMatchObject({ help: false, port: undefined, browser: true, baseUrl: '/' });
    expect(parseOptions([]).workspace).toMatch(/\/workspace$/);
  });

  test.each([
    ['/user/x/', '/user/x/'],
    ['user/x', '/user/x/'],
    ['/', '/'],
    ['', '/'],
    ['//a//b', '/a/b/'],
  ])('--base-url %s means %s', (given, meant) => {
    expect(parseOptions(['--base-url', given]).baseUrl).toBe(meant);
  });

  test.each([
    [['--port', '0'], /--port 0/],
    [['--port', '70000'], /--port 70000/],
    [['--port', 'http'], /--port http/],
    [['--base-url', 'http://x'], /--base-url/],
    [['--colour'], /--colour/],
  ])('%j is refused, with what to do', (argv, message) => {
    expect(() => parseOptions(argv)).toThrow(expect.objectContaining({ message: expect.stringMatching(message) }));
    expect(() => parseOptions(argv)).toThrow(expect.objectContaining({ hint: expect.any(String) }));
  });

  test('every option is in the help', () => {
    for (const option of ['--port', '--no-browser', '--workspace', '--base-url', '--help'])
      expect(HELP).toContain(option);
  });
});
