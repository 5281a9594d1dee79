const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/** FNV-1a of text, going on from `seed`; 32 bits, unsigned. Not for secrets. */
export function hashText(text: string, seed = OFFSET, from = 0, to = text.length): number {
  let hash = seed;
  for (let at = from; at < to; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), PRIME);
  return hash >>> 0;
}

/** Spreads neighbouring numbers over all 32 bits (the finaliser of MurmurHash3). */
export function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
