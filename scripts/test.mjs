// `npm test`: sets up what the tests need, runs every suite, and sums up. `npm test -- sdk ui` runs the suites named;
// `npm run test:full` runs them with 500 rounds of kills instead of 20.
import { join } from 'node:path';
import { runChecks } from './check.mjs';
import { REPO } from './lib/paths.mjs';
import { installNpm } from './setup/npm-packages.mjs';
import { Progress } from './setup/progress.mjs';
import { setUp } from './setup/set-up.mjs';
import { none, sum } from './testing/counts.mjs';
import { suites } from './testing/suites.mjs';
import { installSystemPackages } from './testing/system.mjs';

/** Suites that run at the same time: as many as the smallest machine they are meant for has cores. */
const LANES = 2;
const NAMES = [...Object.keys(suites), 'check'];

const inCi = ['1', 'true'].includes(process.env.CI ?? '');

function chosen([...argv]) {
  if (argv[0] === '--full') {
    argv.shift();
    process.env.PILOTHOUSE_ROUNDS ??= '500';
  }
  const unknown = argv.filter((name) => !NAMES.includes(name));
  if (unknown.length > 0) throw new Error(`No suite is called ${unknown.join(', ')}. There are: ${NAMES.join(', ')}.`);
  return argv.length > 0 ? argv : NAMES;
}

const line = (name, counts, started) => {
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
  return `${counts.failed === 0 ? '✓' : '✗'} ${name}: ${counts.passed} passed, ${counts.failed} failed${skipped} (${seconds} s)`;
};

async function runSuite(name, refused) {
  if (refused.has(name)) {
    console.log(`${inCi ? '✗' : '–'} ${name}: not run, ${refused.get(name)}`);
    return { ...none(), failed: inCi ? 1 : 0 };
  }
  const started = performance.now();
  const { run, browser } = suites[name];
  // The browser suite takes minutes: what it does is shown while it does it. The others speak when they are done.
  const { counts, output } = await run(name, browser ? (text) => console.log(`  ${text}`) : undefined);
  if (counts.failed > 0 && !browser) console.log(output.trimEnd());
  console.log(line(name, counts, started));
  return { name, ...counts };
}

/**
 * Runs what failed in a suite once more, with the machine for itself. Where all suites share two cores a process may get
 * none for longer than a test waits; a test that passes now was starved, not broken. It is counted as passed and named as
 * flaky, with what it said the first time above: it wants mending.
 */
async function runAgain(result) {
  const { name } = result;
  if (result.failed === 0 || suites[name] === undefined) return result;
  const started = performance.now();
  const { again, browser } = suites[name];
  const { counts, output } = await again(name, browser ? (text) => console.log(`  ${text}`) : undefined);
  const failed = Math.min(result.failed, counts.failed);
  if (failed > 0 && !browser) console.log(output.trimEnd());
  console.log(line(`${name}, what failed once more`, { ...counts, skipped: 0 }, started));
  const flaky = result.failed - failed;
  if (flaky > 0) console.log(`! ${name}: ${flaky} flaky, failed beside the other suites and passed alone`);
  return { ...result, passed: result.passed + flaky, failed };
}

/** Runs the suites, `LANES` at a time, in their order. */
async function runAll(names, refused) {
  const waiting = [...names];
  const results = [];
  const lane = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift())
      results.push(await runSuite(name, refused));
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return results;
}

async function main(argv) {
  const names = chosen(argv);
  const progress = new Progress();
  const browser = names.filter((name) => suites[name]?.browser);
  const others = names.filter((name) => name !== 'check' && !suites[name].browser);
  const results = [];

  // Debian packages come while the product is built; the browser tools while the first suites run. A failure waits
  // until it is asked for.
  let refused = new Map();
  const packages = progress.step('Debian packages for tests', async () => {
    refused = await installSystemPackages(names);
    return refused.size === 0 ? Progress.nothingToDo : 'not all of them';
  });
  const browserTools = (async () => {
    await packages;
    if (names.includes('ui') || names.includes('check')) {
      await progress.step('Browser test tools', () => installNpm(join(REPO, 'ui-tests'), { dev: true }));
    }
  })();
  // Whoever awaits it below hears of its failure; until then it is nobody's.
  browserTools.catch(() => undefined);
  const [ready] = await Promise.allSettled([
    setUp(progress, { dev: true, peers: names.includes('serving') || names.includes('bridge'), launcher: false }),
  ]);
  if (ready.status === 'rejected') {
    await Promise.allSettled([browserTools]);
    throw ready.reason;
  }
  await packages;
  results.push(...(await runAll(others, refused)));
  await browserTools;

  if (names.includes('check')) {
    const started = performance.now();
    const counts = { ...none(), ...(await runChecks()) };
    console.log(line('check', counts, started));
    results.push(counts);
  }
  for (const name of browser) results.push(await runSuite(name, refused));
  const final = [];
  for (const result of results) final.push(await runAgain(result));
  return sum(final);
}

try {
  const { passed, failed } = await main(process.argv.slice(2));
  process.exitCode = failed === 0 ? 0 : 1;
  console.log(`${passed} passed, ${failed} failed`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
  console.log('0 passed, 1 failed');
}
