import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { z } from 'zod';
import { REPO } from './product.js';

const notebookSchema = z.object({
  cells: z.array(z.object({ cell_type: z.string(), source: z.array(z.string()) })),
});

/** The code of an example notebook, cell by cell. */
export function cellsOf(name: string): string[] {
  const text = readFileSync(join(REPO, 'examples', `${name}.ipynb`), 'utf8');
  const { cells } = notebookSchema.parse(JSON.parse(text));
  return cells.filter((cell) => cell.cell_type === 'code').map((cell) => cell.source.join(''));
}

const IMPORT = /^import .*;$/gm;

/** The cells as one module, for the compiler alone: awaiting stands in a function, as kernels have it. */
export function asModule(cells: readonly string[]): string {
  const code = cells.join('\n');
  const imports = code.match(IMPORT) ?? [];
  return `${imports.join('\n')}\nexport async function run() {\n${code.replace(IMPORT, '')}\n}\n`;
}

/** Runs the cells one after the other, with these names instead of what they import. */
export async function runCells(cells: readonly string[], names: Readonly<Record<string, unknown>>): Promise<void> {
  const { outputText } = transpileModule(`async function run() {\n${cells.join('\n').replace(IMPORT, '')}\n}`, {
    compilerOptions: { module: ModuleKind.ESNext, target: ScriptTarget.ES2022 },
  });
  await Reflect.apply(
    new Function(...Object.keys(names), `${outputText}\nreturn run();`),
    undefined,
    Object.values(names),
  );
}
