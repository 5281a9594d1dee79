import { open } from 'node:fs/promises';

/** Bytes of the head that are read at most: the words of the tokenizer lie there too, behind what is looked for. */
const HEAD = 64 * 1024;
/** Sizes in bytes of the plain types of GGUF, by number. */
const SIZES: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };
const STRING = 8;
const LIST = 9;

/** What the head of a GGUF file says; null: it is none. */
export async function readGguf(path: string): Promise<{ context: number | null } | null> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD), 0, HEAD, 0);
    const head = buffer.subarray(0, bytesRead);
    if (head.length < 24 || head.toString('latin1', 0, 4) !== 'GGUF') return null;
    return { context: contextIn(head) };
  } finally {
    await file.close();
  }
}

/** Its `<architecture>.context_length`, where that stands in the head. */
function contextIn(head: Buffer): number | null {
  let at = 24;
  const text = (): string => {
    const length = Number(head.readBigUInt64LE(at));
    at += 8 + length;
    return head.toString('utf8', at - length, at);
  };
  const skip = (type: number): void => {
    if (type === STRING) text();
    else if (type === LIST) {
      const of = head.readUInt32LE(at);
      const count = Number(head.readBigUInt64LE(at + 4));
      at += 12;
      for (let left = count; left > 0 && at < head.length; left -= 1) skip(of);
    } else at += SIZES[type] ?? head.length;
  };
  try {
    for (let left = Number(head.readBigUInt64LE(16)); left > 0; left -= 1) {
      const key = text();
      const type = head.readUInt32LE(at);
      at += 4;
      if (key.endsWith('.context_length') && (type === 4 || type === 10)) {
        return type === 4 ? head.readUInt32LE(at) : Number(head.readBigUInt64LE(at));
      }
      skip(type);
    }
  } catch {
    return null; // Longer than the head: what is looked for comes later, or not at all.
  }
  return null;
}
