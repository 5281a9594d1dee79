import { formatBytes, PilothouseError } from '@pilothouse/sdk/internal';
import { z } from 'zod';
import { type Command, EXIT } from '../command.js';
import { callBridge, findBridge, withSession } from '../session.js';
import { table } from '../table.js';

/** Milliseconds: a shared file system may take its time over thousands of files. */
const PATIENCE = 10 * 60 * 1000;

const amount = { files: z.int(), bytes: z.number() };
const reportSchema = z.object({
  removed: z.array(z.object({ path: z.string(), why: z.string(), ...amount })),
  kept: z.object(amount),
});
type Report = z.infer<typeof reportSchema>;

export const clean: Command = {
  name: 'clean',
  usage: 'clean [--dry-run]',
  summary: 'Remove what is over and older or larger than the limits; with --dry-run only list it',
  options: { 'dry-run': { type: 'boolean', short: 'n' } },
  words: [0, 0],
  run: ({ config, result }, { values }) =>
    // The session starts Pilothouse where it does not run: only it knows what lives.
    withSession(async () => {
      const socket = await findBridge(config);
      if (socket === null) {
        throw new PilothouseError('OWNED_ELSEWHERE', 'Pilothouse runs on another host', {
          hint: 'Run this command there; "pilothouse status" names the host.',
        });
      }
      const dryRun = values['dry-run'] === true;
      const report = reportSchema.parse(await callBridge(socket, 'system/clean', { dryRun }, PATIENCE));
      result(report, () => show(report, dryRun));
      return EXIT.ok;
    }),
};

function show({ removed, kept }: Report, dryRun: boolean): string {
  const stays = `${count(kept.files)} with ${formatBytes(kept.bytes)} ${dryRun ? 'would stay' : 'stay'}.`;
  if (removed.length === 0) return `Nothing to remove; ${stays}`;
  const rows = removed.map(({ files, bytes, why, path }) => [String(files), formatBytes(bytes), why, path]);
  const files = removed.reduce((sum, one) => sum + one.files, 0);
  const bytes = removed.reduce((sum, one) => sum + one.bytes, 0);
  const total = `${dryRun ? 'Would remove' : 'Removed'} ${count(files)} with ${formatBytes(bytes)}; ${stays}`;
  return `${table(['FILES', 'SIZE', 'WHY', 'PATH'], rows)}\n${total}`;
}

function count(files: number): string {
  return files === 1 ? '1 file' : `${files} files`;
}
