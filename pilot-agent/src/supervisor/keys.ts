import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

const KEY_BYTES = 32;

/** A pair of CURVE keys, in Z85. */
export interface CurveKeys {
  readonly file: string;
  readonly publicKey: string;
}

/** The key of an instance: made once, in a file for this user alone, the same over restarts. */
export async function keyOf(
  folder: string,
  instance: string,
): Promise<{ readonly file: string; readonly key: string }> {
  const file = join(folder, `${instance}.key`);
  const text = await madeOnce(file, () =>
    Buffer.from(globalThis.crypto.getRandomValues(new Uint8Array(KEY_BYTES))).toString('base64url'),
  );
  return { file, key: text.trim() };
}

/** The CURVE keys of an instance that speaks ZeroMQ; the secret one leaves its file for the instance alone. */
export async function curveOf(folder: string, instance: string): Promise<CurveKeys> {
  const file = join(folder, `${instance}.curve`);
  // Loaded with the first service that needs it: an agent without one starts faster.
  const { curveKeyPair } = await import('zeromq');
  const text = await madeOnce(file, () => {
    const { publicKey, secretKey } = curveKeyPair();
    return JSON.stringify({ publicKey, secretKey });
  });
  const { publicKey }: { publicKey: string } = JSON.parse(text);
  return { file, publicKey };
}

/** Removes the keys of an instance that has ended. */
export async function forgetKeys(folder: string, instance: string): Promise<void> {
  for (const suffix of ['key', 'curve']) await rm(join(folder, `${instance}.${suffix}`), { force: true });
}

async function madeOnce(path: string, make: () => string): Promise<string> {
  const earlier = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return '';
  });
  // An empty one is what an agent has left that was killed at this very place; nothing was started with it.
  if (earlier !== '') return earlier;
  const file = await open(path, 'w', 0o600);
  try {
    const text = `${make()}\n`;
    await file.writeFile(text);
    return text;
  } finally {
    await file.close();
  }
}
