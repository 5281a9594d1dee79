import { open, realpath } from 'node:fs/promises';
import { isAbsolute, resolve, sep } from 'node:path';
import { PilothouseError } from '@pilothouse/sdk/shared';

/** Largest file that is put into a request. */
const MAX_IMAGE = 20 * 1024 * 1024;
const MARK = '"image_path"';

/** Whether a request may name images by path. */
export function namesImages(body: Buffer): boolean {
  return body.includes(MARK);
}

/**
 * Puts images that are named by path into a request, as data URLs: `{"type":"image_path","image_path":{"path": …}}`
 * becomes `{"type":"image_url", …}`. Files are read here, beside the instance.
 *
 * @param folders - absolute; a path must lie within one of them, symbolic links resolved. null: nothing is read here
 * @throws PilothouseError UNSUPPORTED_REQUEST, UNSAFE_PATH, DATA_NOT_FOUND, UNSUPPORTED_FORMAT, FILE_TOO_LARGE
 */
export async function inlineImages(body: Buffer, folders: readonly string[] | null): Promise<Buffer> {
  const request: unknown = JSON.parse(body.toString('utf8'));
  const messages = field(request, 'messages');
  let found = false;
  for (const message of Array.isArray(messages) ? messages : []) {
    const content = field(message, 'content');
    if (!Array.isArray(content)) continue;
    for (const part of content) {
      if (field(part, 'type') !== 'image_path') continue;
      const path = field(field(part, 'image_path'), 'path');
      if (typeof path !== 'string' || typeof part !== 'object' || part === null) throw noPath();
      found = true;
      const url = await dataUrl(path, folders);
      Reflect.deleteProperty(part, 'image_path');
      Object.assign(part, { type: 'image_url', image_url: { url } });
    }
  }
  return found ? Buffer.from(JSON.stringify(request)) : body;
}

/**
 * Reads an image as a data URL.
 *
 * @param folders - as for {@link inlineImages}
 * @throws PilothouseError UNSUPPORTED_REQUEST, UNSAFE_PATH, DATA_NOT_FOUND, UNSUPPORTED_FORMAT, FILE_TOO_LARGE
 */
export async function dataUrl(path: string, folders: readonly string[] | null): Promise<string> {
  if (folders === null) {
    throw new PilothouseError(
      'UNSUPPORTED_REQUEST',
      'images can be named by path only where Pilothouse runs the service',
      {
        hint: 'Send the image itself, as a data URL.',
      },
    );
  }
  const real = await allowed(path, folders);
  const file = await open(real, 'r');
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw notAnImage(path);
    if (stat.size > MAX_IMAGE) {
      throw new PilothouseError('FILE_TOO_LARGE', `${path} is larger than ${MAX_IMAGE / 1024 / 1024} MiB`, {
        hint: 'Make the image smaller; models reduce it anyway.',
      });
    }
    const bytes = await file.readFile();
    return `data:${formatOf(bytes, path)};base64,${bytes.toString('base64')}`;
  } finally {
    await file.close();
  }
}

async function allowed(path: string, folders: readonly string[]): Promise<string> {
  const first = folders[0] ?? '/';
  let real: string;
  try {
    real = await realpath(isAbsolute(path) ? path : resolve(first, path));
  } catch (cause) {
    throw new PilothouseError('DATA_NOT_FOUND', `there is no image ${path} where the service runs`, {
      hint: 'Check the path; it is read on the node of the service.',
      cause,
    });
  }
  for (const folder of folders) {
    const root = await realpath(folder).catch(() => folder);
    if (real === root || real.startsWith(root.endsWith(sep) ? root : root + sep)) return real;
  }
  throw new PilothouseError('UNSAFE_PATH', `${path} is not in a folder whose files this service may read`, {
    hint: `Move it to ${folders.join(' or ')}, or name its folder in \`files\` of the service.`,
  });
}

/** Kind of an image by its first bytes; what it is called says nothing certain. */
function formatOf(bytes: Buffer, path: string): string {
  const start = bytes.toString('latin1', 0, 12);
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (start.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (start.startsWith('GIF87a') || start.startsWith('GIF89a')) return 'image/gif';
  if (start.startsWith('RIFF') && start.endsWith('WEBP')) return 'image/webp';
  throw notAnImage(path);
}

function notAnImage(path: string): PilothouseError {
  return new PilothouseError('UNSUPPORTED_FORMAT', `${path} is no PNG, JPEG, WebP or GIF`, {
    hint: 'Convert it first, for example to PNG.',
  });
}

function noPath(): PilothouseError {
  return new PilothouseError('INVALID_DESCRIPTION', 'a part of type image_path names no file', {
    hint: 'Write {"type": "image_path", "image_path": {"path": "/data/cells.png"}}.',
  });
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
