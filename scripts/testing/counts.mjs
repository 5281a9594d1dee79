// How many tests passed and failed, from the reports that the runners write. What a runner prints is for people.
import { existsSync, readFileSync } from 'node:fs';

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

export const none = () => ({ passed: 0, failed: 0, skipped: 0 });

/** @param {Counts[]} all @returns {Counts} */
export function sum(all) {
  return all.reduce(
    (total, one) => ({
      passed: total.passed + one.passed,
      failed: total.failed + one.failed,
      skipped: total.skipped + one.skipped,
    }),
    none(),
  );
}

/** Counts of vitest's JSON report. A file that could not be loaded is a failure, although no test of it ran. */
export function vitestCounts(path) {
  const report = readJson(path);
  if (report === undefined) return undefined;
  const unloaded = report.testResults.filter(({ status, assertionResults }) => {
    return status === 'failed' && assertionResults.every((one) => one.status !== 'failed');
  });
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded.length,
    skipped: report.numPendingTests + (report.numTodoTests ?? 0),
  };
}

/** What makes vitest run again what failed in a report: the files, and the names of the tests where there are any. */
export function vitestFailed(path) {
  const failed = (readJson(path)?.testResults ?? []).filter(({ status }) => status === 'failed');
  const tests = failed.flatMap(({ assertionResults }) => assertionResults.filter((one) => one.status === 'failed'));
  const unloaded = failed.some(({ assertionResults }) => assertionResults.every((one) => one.status !== 'failed'));
  const names = tests.map(({ fullName }) => fullName.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const files = failed.map(({ name }) => name);
  return names.length === 0 || unloaded ? files : [...files, '-t', `^(${names.join('|')})$`];
}

/** Counts of Playwright's JSON report. */
export function playwrightCounts(path) {
  const report = readJson(path);
  if (report === undefined) return undefined;
  const { expected, unexpected, flaky, skipped } = report.stats;
  // A test that passed only when it was tried again has failed once.
  return { passed: expected, failed: unexpected + flaky + report.errors.length, skipped };
}

/** Counts of a JUnit report, as pytest writes it. */
export function junitCounts(path) {
  if (!existsSync(path)) return undefined;
  const [suite] = /<testsuite\b[^>]*>/.exec(readFileSync(path, 'utf8')) ?? [];
  if (suite === undefined) return undefined;
  const number = (name) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
  const failed = number('failures') + number('errors');
  const skipped = number('skipped');
  return { passed: number('tests') - failed - skipped, failed, skipped };
}

function readJson(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}
