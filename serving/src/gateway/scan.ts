const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
/** Bytes of a string that are looked at one by one; the end of a longer one is found natively. */
const SHORT = 64;

/** What a gateway needs to know of a request; everything else passes through unread. */
export interface Scanned {
  /** Value of `model`, and the bytes where it stands, quotes included. */
  readonly model: { readonly value: string; readonly from: number; readonly to: number } | null;
  readonly stream: boolean;
  /** What names the caller or the conversation: `prompt_cache_key`, else `user`. */
  readonly session: string | undefined;
}

/**
 * Finds the fields of a JSON object that decide where it goes, without parsing the rest: a request with images is mostly
 * one long string.
 *
 * @returns null where the text is not a JSON object, as far as it was looked at
 */
export function scanRequest(body: Buffer): Scanned | null {
  let model: Scanned['model'] = null;
  let stream = false;
  let user: string | undefined;
  let key: string | undefined;
  let at = space(body, 0);
  if (body[at] !== OPEN_BRACE) return null;
  at = space(body, at + 1);
  while (body[at] !== CLOSE_BRACE) {
    if (body[at] !== QUOTE) return null;
    const nameEnd = stringEnd(body, at);
    const name = body.toString('latin1', at + 1, nameEnd - 1);
    at = space(body, nameEnd);
    if (body[at] !== COLON) return null;
    const from = space(body, at + 1);
    const to = valueEnd(body, from);
    if (to <= from) return null;
    if (name === 'model' && body[from] === QUOTE) model = { value: text(body, from, to), from, to };
    else if (name === 'stream') stream = body.toString('latin1', from, to) === 'true';
    else if (name === 'user' && body[from] === QUOTE) user = text(body, from, to);
    else if (name === 'prompt_cache_key' && body[from] === QUOTE) key = text(body, from, to);
    at = space(body, to);
    if (body[at] === COMMA) at = space(body, at + 1);
    else if (body[at] !== CLOSE_BRACE) return null;
  }
  return { model, stream, session: key ?? user };
}

/** The body with another model name in it. */
export function withModel(body: Buffer, { from, to }: { readonly from: number; readonly to: number }, name: string) {
  return Buffer.concat([body.subarray(0, from), Buffer.from(JSON.stringify(name)), body.subarray(to)]);
}

/** The beginning of what is asked, for routers that send equal beginnings to the same instance. */
export function promptOf(body: Buffer, length = 8192): string {
  const messages = body.indexOf('"messages"');
  const from = messages >= 0 ? messages : Math.max(0, body.indexOf('"prompt"'));
  return body.toString('latin1', from, Math.min(body.length, from + length));
}

function space(body: Buffer, from: number): number {
  let at = from;
  for (;;) {
    const byte = body[at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at;
    at += 1;
  }
}

/** Behind the closing quote of the string that begins here; behind the last byte where it is not closed. */
function stringEnd(body: Buffer, from: number): number {
  let at = from + 1;
  const near = Math.min(body.length, at + SHORT);
  while (at < near) {
    const byte = body[at];
    if (byte === QUOTE) return at + 1;
    at += byte === BACKSLASH ? 2 : 1;
  }
  for (;;) {
    const quote = body.indexOf(QUOTE, at);
    if (quote < 0) return body.length + 1;
    let slashes = 0;
    while (quote - slashes - 1 >= at && body[quote - slashes - 1] === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}

function valueEnd(body: Buffer, from: number): number {
  const first = body[from];
  if (first === QUOTE) return stringEnd(body, from);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return nestedEnd(body, from);
  let at = from;
  while (at < body.length) {
    const byte = body[at];
    if (byte === undefined || byte === COMMA || byte === CLOSE_BRACE || byte <= 0x20) break;
    at += 1;
  }
  return at;
}

function nestedEnd(body: Buffer, from: number): number {
  let depth = 0;
  let at = from;
  while (at < body.length) {
    const byte = body[at];
    if (byte === QUOTE) {
      at = stringEnd(body, at);
      continue;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1;
    at += 1;
    if (depth === 0) return at;
  }
  return body.length + 1;
}

function text(body: Buffer, from: number, to: number): string {
  const written = body.toString('utf8', from, to);
  try {
    const value: unknown = JSON.parse(written);
    return typeof value === 'string' ? value : '';
  } catch {
    // Not a string of JSON: the server that gets the request says so; no service has this for a name.
    return written;
  }
}
