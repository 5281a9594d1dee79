import { readFileSync } from 'node:fs';

/** One output of a saved cell, as far as tests look at it. */
export interface SavedOutput {
  readonly output_type: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly name?: string;
  readonly text?: string | readonly string[];
  readonly ename?: string;
  readonly evalue?: string;
}

export interface SavedCell {
  readonly id: string;
  readonly cell_type: 'code' | 'markdown' | 'raw';
  readonly source: string | readonly string[];
  readonly outputs?: readonly SavedOutput[];
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A notebook as it lies on disk. */
export interface SavedNotebook {
  readonly cells: readonly SavedCell[];
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Reads a notebook file; what the browser shows may be newer until it is saved. */
export function readNotebook(path: string): SavedNotebook {
  const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (!isNotebook(content)) throw new Error(`${path} is no notebook`);
  return content;
}

function isNotebook(value: unknown): value is SavedNotebook {
  return typeof value === 'object' && value !== null && 'cells' in value && Array.isArray(value.cells);
}

/** Text that nbformat may have split into lines. */
export function joined(text: string | readonly string[] | undefined): string {
  return typeof text === 'string' ? text : (text ?? []).join('');
}

/** The MIME bundles of a cell's outputs. */
export function bundles(cell: SavedCell | undefined): Readonly<Record<string, unknown>>[] {
  return (cell?.outputs ?? []).flatMap(({ data }) => (data === undefined ? [] : [data]));
}

/** A new notebook of one kernel with the given code cells, for `stack.write`. */
export function notebook(kernel: 'python3' | 'tslab' | 'deno', sources: readonly string[]): string {
  const language = kernel === 'python3' ? 'python' : 'typescript';
  const cells = sources.map((source, index) => ({
    cell_type: 'code',
    execution_count: null,
    id: `cell-${index}`,
    metadata: {},
    outputs: [],
    source,
  }));
  return JSON.stringify({
    cells,
    metadata: { kernelspec: { display_name: kernel, language, name: kernel }, language_info: { name: language } },
    nbformat: 4,
    nbformat_minor: 5,
  });
}
