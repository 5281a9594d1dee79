// What the documentation shows is tried against the product: snippets against the types, links against the tree, the
// table of errors against the codes.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ERROR_CODES } from '../../sdk/lib/errors/codes.js';
import { REPO, VENV_PYTHON } from '../lib/paths.mjs';
import { runCaptured } from '../lib/processes.mjs';

const FOLDERS = readdirSync(REPO, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
  .map(({ name }) => name);
const pages = ['.', ...FOLDERS, 'docs/guide', 'docs/decisions']
  .flatMap((folder) => readdirSync(join(REPO, folder)).map((name) => join(folder, name)))
  .filter((path) => path.endsWith('.md'))
  .map((path) => ({ path, text: readFileSync(join(REPO, path), 'utf8') }));

/** What a reader of any page has already: a session, a pilot, a service. A page's own `const` takes their place. */
const GIVEN_TS = `
import type * as sdk from '@pilothouse/sdk';
import type * as notebook from '@pilothouse/sdk/notebook';
declare global {
  const session: sdk.Session;
  const pilot: sdk.Pilot;
  const llm: sdk.Service;
  const show: typeof notebook.show;
  const PilothouseError: typeof sdk.PilothouseError;
}`;
const GIVEN_PYTHON = `
import pilothouse as ph
def given() -> tuple[ph.Session, ph.Pilot, ph.Service]: ...
s, pilot, llm = given()
`;

// A compiler starts within: seconds, and more on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

let folder;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ph-docs-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The fenced blocks of one language, each with the place it stands at. */
function snippets(language) {
  return pages.flatMap(({ path, text }) =>
    [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map((match) => ({
      place: `${path}:${text.slice(0, match.index).split('\n').length}`,
      code: match[1],
    })),
  );
}

test('TypeScript in the documentation is valid', () => {
  // In memory, and as if it lay in the checkout: the packages are found as they are by a program beside them.
  const files = new Map([[join(REPO, 'scripts', 'given.ts'), GIVEN_TS]]);
  const places = new Map();
  for (const [number, { place, code }] of snippets('ts').entries()) {
    const name = join(REPO, 'scripts', `snippet-${number}.ts`);
    files.set(name, `${code}\nexport {};`);
    places.set(name, place);
  }
  expect(places.size).toBeGreaterThan(5);
  const options = {
    ...ts.parseConfigFileTextToJson('', readFileSync(join(REPO, 'tsconfig.base.json'), 'utf8')).config.compilerOptions,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts'],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    noUnusedLocals: false,
    composite: false,
    noEmit: true,
    types: ['node'],
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.readFile = (name) => files.get(name) ?? readFile(name);
  const found = ts.getPreEmitDiagnostics(ts.createProgram([...files.keys()], options, host));
  const said = found.map(({ file, messageText }) => {
    const where = file === undefined ? '' : (places.get(file.fileName) ?? relative(REPO, file.fileName));
    return `${where}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
  expect(said).toEqual([]);
});

test('Python in the documentation is valid', async () => {
  const blocks = snippets('python');
  expect(blocks.length).toBeGreaterThan(3);
  for (const [number, { code }] of blocks.entries()) {
    writeFileSync(join(folder, `snippet_${number}.py`), `${GIVEN_PYTHON}${code}`);
  }
  const settings = {
    include: ['.'],
    extraPaths: [join(REPO, 'jupyterlab-extension')],
    pythonVersion: '3.10',
    typeCheckingMode: 'standard',
    reportUnusedExpression: 'none',
  };
  writeFileSync(join(folder, 'pyrightconfig.json'), JSON.stringify(settings));
  const pyright = join(REPO, 'node_modules', 'pyright', 'index.js');
  const argv = [process.execPath, pyright, '--outputjson', '--pythonpath', VENV_PYTHON, '--project', folder];
  const { output } = await runCaptured(argv, { cwd: folder });
  const report = JSON.parse(output.slice(output.indexOf('{')));
  const said = report.generalDiagnostics.map(({ file, message }) => {
    const number = Number(/snippet_(\d+)/.exec(file)?.[1]);
    return `${blocks[number]?.place ?? file}: ${message}`;
  });
  expect(said).toEqual([]);
  expect(report.summary.filesAnalyzed).toBe(blocks.length);
});

test('links within the documentation lead somewhere', () => {
  const links = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map((match) => ({ path, to: match[1] })),
  );
  expect(links.length).toBeGreaterThan(10);
  expect(links.filter(({ path, to }) => !existsSync(join(REPO, dirname(path), to)))).toEqual([]);
});

test('the guide lists every error code, and says rightly whether a repeat can help', () => {
  const { text } = pages.find(({ path }) => path === join('docs', 'guide', 'errors.md'));
  const listed = [...text.matchAll(/^\| `([A-Z_]+)` \| (yes|no) \|/gm)].map(([, code, answer]) => [
    code,
    answer === 'yes',
  ]);
  expect(Object.fromEntries(listed)).toEqual(ERROR_CODES);
  expect(listed).toHaveLength(Object.keys(ERROR_CODES).length);
});
