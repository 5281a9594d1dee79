import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { junitCounts, playwrightCounts, sum, vitestCounts, vitestFailed } from '../testing/counts.mjs';

let file;
let scratch;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'ph-counts-'));
  file = join(scratch, 'report');
});

afterEach(() => {
  rmSync(scratch, { recursive: true, force: true });
});

test('vitest: a file that could not be loaded is a failure', () => {
  const testResults = [
    { status: 'passed', assertionResults: [{ status: 'passed' }] },
    { status: 'failed', assertionResults: [{ status: 'failed' }, { status: 'passed' }] },
    { status: 'failed', assertionResults: [] },
  ];
  writeFileSync(file, JSON.stringify({ numPassedTests: 2, numFailedTests: 1, numPendingTests: 1, testResults }));
  expect(vitestCounts(file)).toEqual({ passed: 2, failed: 2, skipped: 1 });
});

test('vitest: what failed is run again by its name, and a file that could not be loaded as a whole', () => {
  const failed = { name: '/a.test.ts', status: 'failed' };
  const passed = { name: '/b.test.ts', status: 'passed', assertionResults: [{ status: 'passed', fullName: 'b' }] };
  const tests = [
    { status: 'failed', fullName: 'group (x) fails [1]' },
    { status: 'passed', fullName: 'group (x) passes' },
  ];
  writeFileSync(file, JSON.stringify({ testResults: [{ ...failed, assertionResults: tests }, passed] }));
  expect(vitestFailed(file)).toEqual(['/a.test.ts', '-t', '^(group \\(x\\) fails \\[1\\])$']);
  writeFileSync(file, JSON.stringify({ testResults: [{ ...failed, assertionResults: [] }, passed] }));
  expect(vitestFailed(file)).toEqual(['/a.test.ts']);
});

test('Playwright: a test that passed only when tried again has failed', () => {
  writeFileSync(file, JSON.stringify({ stats: { expected: 3, unexpected: 1, flaky: 1, skipped: 2 }, errors: [] }));
  expect(playwrightCounts(file)).toEqual({ passed: 3, failed: 2, skipped: 2 });
});

test('pytest: errors are failures', () => {
  const attributes = 'name="pytest" errors="1" failures="2" skipped="3" tests="10"';
  writeFileSync(
    file,
    `<?xml version="1.0"?><testsuites name="x"><testsuite ${attributes} time="1"></testsuite></testsuites>`,
  );
  expect(junitCounts(file)).toEqual({ passed: 4, failed: 3, skipped: 3 });
});

test('a runner that wrote no report has no counts', () => {
  expect(vitestCounts(file)).toBeUndefined();
  expect(playwrightCounts(file)).toBeUndefined();
  expect(junitCounts(file)).toBeUndefined();
});

test('counts add up', () => {
  expect(
    sum([
      { passed: 1, failed: 0, skipped: 2 },
      { passed: 3, failed: 4, skipped: 0 },
    ]),
  ).toEqual({
    passed: 4,
    failed: 4,
    skipped: 2,
  });
});
