import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { coveredBy, isInside, listFolder, readPiece, safeRelative, splitPattern } from '@pilothouse/sdk/files';
import { PilothouseError } from '@pilothouse/sdk/shared';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nameIn } from '../../src/staging/transfer/http.js';
import { remoteOf, shellQuoted } from '../../src/staging/transfer/ssh-address.js';
import { Place, refusal } from './support.js';

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place.remove());

const name = fc.constantFrom('a', 'b', 'c.npy', 'd.npy', '.hidden', 'x y', 'q*', '[z]', 'é');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));

describe('files of a task', () => {
  /** Steps of a path as somebody might try them to get out. */
  const step = fc.constantFrom(
    '..',
    '.',
    '',
    'in',
    'f',
    'out',
    'up',
    'loop',
    'secret',
    'in/../..',
    '../cwd2',
    '\0',
    '~',
  );

  it('are given out only from its own folders, whatever is asked for', async () => {
    place.write({ 'cwd/in/f': 'mine', secret: 'not yours', 'cwd2/f': 'not yours' });
    symlinkSync('../secret', join(place.cwd, 'out'));
    symlinkSync('..', join(place.cwd, 'up'));
    symlinkSync('.', join(place.cwd, 'loop'));
    symlinkSync(join(place.root, 'cwd2'), join(place.cwd, 'in/out'));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 6 }), fc.boolean(), async (steps, absolute) => {
        const asked = `${absolute ? '/' : ''}${steps.join('/')}`;
        const answer = await readPiece([place.cwd], asked, 0, 100).catch((error: unknown) => error);
        if (answer instanceof PilothouseError) expect(['UNSAFE_PATH', 'DATA_NOT_FOUND']).toContain(answer.code);
        else expect(answer).toMatchObject({ data: Buffer.from('mine').toString('base64'), complete: true });
      }),
      { numRuns: 500 },
    );
    expect((await refusal(readPiece([place.cwd], 'out', 0, 9))).code).toBe('UNSAFE_PATH');
    expect((await listFolder(place.cwd)).map(({ path: listed }) => listed)).toEqual(['in', 'loop', 'in/f']);
  });

  it('come in pieces that make up the whole, up to the limit', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 70 }), async (bytes, limit) => {
        writeFileSync(join(place.cwd, 'f'), bytes);
        const pieces: Buffer[] = [];
        for (let offset = 0; ; ) {
          const piece = await readPiece([place.cwd], 'f', offset, limit);
          pieces.push(Buffer.from(piece.data, 'base64'));
          offset = piece.next;
          if (piece.complete) break;
        }
        expect(Buffer.concat(pieces)).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 50 },
    );
    place.write({ 'cwd/big': 'x'.repeat(101) });
    const error = await refusal(readPiece([place.cwd], 'big', 0, 10, 100));
    expect(error).toMatchObject({ code: 'FILE_TOO_LARGE', evidence: join(place.cwd, 'big') });
    expect(error.hint).toContain(join(place.cwd, 'big'));
  });

  it('have safe names', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          expect(isInside('/folder', join('/folder', safeRelative(text)))).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(PilothouseError);
        }
      }),
    );
  });
});

describe('patterns', () => {
  const segment = fc.constantFrom('*', '**', '*.npy', '?', '{a,b}', '[ab]', 'a', 'b', 'x*');
  const pattern = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));

  it('put each match at its own place below the target, and nothing anywhere else', async () => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(path, { maxLength: 8 }), pattern, async (paths, from) => {
        round += 1;
        const cwd = join(place.root, `w${round}`);
        const to = join(place.root, `t${round}`);
        mkdirSync(cwd);
        Object.defineProperty(place, 'cwd', { value: cwd, configurable: true });
        const files = new Set<string>();
        for (const file of paths) {
          // A name that is a folder in another path cannot be a file too.
          if ([...files].some((other) => other.startsWith(`${file}/`) || file.startsWith(`${other}/`))) continue;
          mkdirSync(dirname(join(cwd, file)), { recursive: true });
          writeFileSync(join(cwd, file), file);
          files.add(file);
        }
        const reports = await place
          .stage('out', { from: from.replace(/\/$/, ''), to: `${to}/`, action: 'copy', optional: true })
          .catch((error: unknown) => error);
        expect(reports).toMatchObject([{ state: 'DONE' }]);
        const landed = (await listFolder(to)).filter(({ folder }) => !folder).map((file) => file.path);
        const covered = [...files].flatMap((file) => {
          const found = coveredBy(from, file);
          return found === null ? [] : [{ file, below: landsAt(from, found.below) }];
        });
        for (const { file, below } of covered) expect(readFileSync(join(to, below), 'utf8')).toBe(file);
        expect(landed.length).toBe(new Set(covered.map(({ below }) => below)).size);
      }),
      { numRuns: 150 },
    );
  });

  it('are split at their first wildcard', () => {
    expect(splitPattern('/a/b*/c')).toEqual({ fixed: '/a', rest: 'b*/c' });
    expect(splitPattern('/*')).toEqual({ fixed: '/', rest: '*' });
    expect(splitPattern('*')).toEqual({ fixed: '', rest: '*' });
    expect(splitPattern('a/b')).toEqual({ fixed: 'a/b', rest: null });
    expect(coveredBy('out/*.npy', 'out/x.npy')).toEqual({ below: 'x.npy' });
    expect(coveredBy('out/*.npy', 'x.npy')).toBeNull();
    expect(coveredBy('out', 'out/x/y')).toEqual({ below: 'x/y' });
  });

  it('that are the name of a file mean that file', async () => {
    place.write({ 'caller/[a].csv': '1', 'caller/a.csv': '2' });
    await place.stage('in', { from: '[a].csv' });
    expect(readFileSync(join(place.cwd, '[a].csv'), 'utf8')).toBe('1');
  });
});

/** A plain name goes into the target by that name; of a pattern, the part below its fixed part. */
function landsAt(from: string, below: string): string {
  if (splitPattern(from).rest !== null) return below;
  return below === '' ? (from.split('/').at(-1) ?? '') : join(from.split('/').at(-1) ?? '', below);
}

describe('addresses', () => {
  it('give a file a name that leads nowhere else', () => {
    fc.assert(
      fc.property(fc.webPath(), fc.constantFrom('', '/..%2f..%2fetc', '/%2e%2e', '/a%00b', '/x.csv'), (web, end) => {
        try {
          const found = nameIn(new URL(`https://example.org${web}${end}`), 'stageIn.0');
          expect(dirname(join('/t', found))).toBe('/t');
          expect(found).not.toMatch(/[/\0]/);
        } catch (error) {
          expect(error).toMatchObject({ code: 'INVALID_DESCRIPTION' });
        }
      }),
    );
  });

  it('of other machines are no options of ssh, and words reach a shell as they are', () => {
    for (const url of ['ssh://-oProxyCommand=x/f', 'ssh://-x@h/f', 'ssh://h/', 'ssh://u:secret@h/f', 'ssh://h/a%0ab']) {
      let address: URL;
      try {
        address = new URL(url);
      } catch {
        continue; // Refused even earlier.
      }
      expect(() => remoteOf(address, 'stageIn.0'), url).toThrow(PilothouseError);
    }
    expect(remoteOf(new URL('ssh://me@h:2222/~/a%20b'), 'x')).toEqual({
      host: 'h',
      user: 'me',
      port: '2222',
      path: 'a b',
    });
    expect(shellQuoted("it's $HOME")).toBe("'it'\\''s $HOME'");
  });
});
