import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { whereMissing } from '../missing.js';
import { readGguf } from './gguf.js';

/** What lies where the weights of a model should be. */
export interface Weights {
  /** What is there, or what is wrong with it. */
  readonly text: string;
  /** What to do where something is wrong. */
  readonly remedy: string | null;
  /** bytes of the weights alone */
  readonly bytes: number;
  /** Tokens that the model was made for; null: it does not say. */
  readonly context: number | null;
}

const indexSchema = z.looseObject({ weight_map: z.record(z.string(), z.string()) });
const configSchema = z.looseObject({
  max_position_embeddings: z.number().optional(),
  n_positions: z.number().optional(),
  text_config: z.looseObject({ max_position_embeddings: z.number().optional() }).optional(),
});
const TOKENIZERS = ['tokenizer.json', 'tokenizer.model', 'tokenizer_config.json', 'vocab.json', 'tekken.json'];
/** Bytes below which a file of weights may be the pointer that Git LFS leaves in its place. */
const POINTER = 1024;

/**
 * Looks at a folder of weights as the transformers library saves them, or at a GGUF file.
 *
 * @throws the error of the file system, where something is there and cannot be read
 */
export async function lookAtWeights(path: string): Promise<Weights> {
  const found = await stat(path).catch(whereMissing(null));
  if (found === null)
    return broken(`${path} is not there`, 'Name the folder or file of the weights as this node sees it.');
  return found.isDirectory() ? lookAtFolder(path) : lookAtFile(path);
}

async function lookAtFile(path: string): Promise<Weights> {
  const parts = await partsOf(path);
  const missing = await firstMissing(parts);
  if (missing !== null) return broken(`${missing} is not there`, 'Fetch the missing part, then try again.');
  const head = await readGguf(path);
  if (head === null) {
    return (await isPointer(path))
      ? broken(`${path} is only a pointer of Git LFS`, 'Fetch the weights: git lfs pull')
      : broken(`${path} is no GGUF file`, 'Name a GGUF file.');
  }
  return { text: `${path} is a GGUF file`, remedy: null, bytes: await sizeOf(parts), context: head.context };
}

/** All parts of a file in parts: `name-00001-of-00003.gguf`. */
async function partsOf(path: string): Promise<string[]> {
  const [, start, count] = /^(.*)-\d{5}-of-(\d{5})\.gguf$/.exec(basename(path)) ?? [];
  if (start === undefined || count === undefined) return [path];
  return Array.from({ length: Number(count) }, (_, index) =>
    join(dirname(path), `${start}-${String(index + 1).padStart(5, '0')}-of-${count}.gguf`),
  );
}

async function lookAtFolder(folder: string): Promise<Weights> {
  const names = await readdir(folder);
  if (!names.includes('config.json')) {
    // Built engines, model repositories and folders of pulled models have shapes of their own.
    if (names.length === 0) return broken(`${folder} is empty`, 'Put the weights there, or name another folder.');
    return broken(`${folder} has no config.json`, 'Name the folder that holds config.json and the weights.');
  }
  const files = await filesOf(folder, names);
  if (files.length === 0) return broken(`${folder} has no weights`, 'Fetch them: *.safetensors, *.bin or *.gguf.');
  const missing = await firstMissing(files);
  if (missing !== null) {
    return broken(`${basename(missing)} is missing in ${folder}`, 'Fetch the missing part; the index names it.');
  }
  for (const file of files) {
    if (await isPointer(file)) {
      return broken(`${basename(file)} in ${folder} is only a pointer of Git LFS`, 'Fetch the weights: git lfs pull');
    }
  }
  if (!TOKENIZERS.some((name) => names.includes(name))) {
    return broken(`${folder} has no tokenizer`, 'Copy tokenizer.json and tokenizer_config.json beside the weights.');
  }
  const config = configSchema.safeParse(JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')));
  const { max_position_embeddings, n_positions, text_config } = config.data ?? {};
  return {
    text: `${folder} holds ${files.length === 1 ? 'the weights' : `${files.length} files of weights`} and a tokenizer`,
    remedy: null,
    bytes: await sizeOf(files),
    context: max_position_embeddings ?? text_config?.max_position_embeddings ?? n_positions ?? null,
  };
}

/** The files of weights: those that an index names, else those that are there. */
async function filesOf(folder: string, names: readonly string[]): Promise<string[]> {
  const index = names.find((name) => /\.(safetensors|bin)\.index\.json$/.test(name));
  if (index !== undefined) {
    const { weight_map } = indexSchema.parse(JSON.parse(await readFile(join(folder, index), 'utf8')));
    return [...new Set(Object.values(weight_map))].sort().map((name) => join(folder, name));
  }
  for (const ending of ['.safetensors', '.bin', '.gguf', '.pt']) {
    const there = names.filter((name) => name.endsWith(ending));
    if (there.length > 0) return there.map((name) => join(folder, name));
  }
  return [];
}

async function firstMissing(files: readonly string[]): Promise<string | null> {
  for (const file of files) if ((await stat(file).catch(whereMissing(null))) === null) return file;
  return null;
}

async function isPointer(path: string): Promise<boolean> {
  if ((await stat(path)).size > POINTER) return false;
  return (await readFile(path, 'utf8')).startsWith('version https://git-lfs');
}

async function sizeOf(files: readonly string[]): Promise<number> {
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function broken(text: string, remedy: string): Weights {
  return { text, remedy, bytes: 0, context: null };
}
