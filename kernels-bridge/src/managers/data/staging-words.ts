import { formatBytes, type StagingReport, type TaskRecord } from '@pilothouse/sdk/internal';
import type { Explanation } from '../../engines/index.js';

/** How far the data of a task is, in words; null: it is not what the task waits for. */
export function explainStaging({ state, staging }: TaskRecord): Explanation | null {
  if (state !== 'STAGING_INPUT' && state !== 'STAGING_OUTPUT') return null;
  const direction = state === 'STAGING_INPUT' ? 'in' : 'out';
  const reports = (staging ?? []).filter((report) => report.direction === direction);
  const at = reports.findIndex((report) => report.state === 'ACTIVE' || report.state === 'WAITING');
  const current = reports[at];
  if (current === undefined) return null;
  const verb = direction === 'in' ? 'brings its data in' : 'takes its results out';
  const count = reports.length > 1 ? ` (${at + 1} of ${reports.length})` : '';
  return { text: `${verb}${count}: ${describe(current)}`, evidence: reports.map(line) };
}

function describe(report: StagingReport): string {
  const what = `${report.from} → ${report.to}`;
  if (report.state === 'WAITING') return `${what} waits for other transfers to end`;
  return `${what}, ${progress(report)}`;
}

function progress({ files, bytes, total }: StagingReport): string {
  const moved = total === null || total < bytes ? formatBytes(bytes) : `${formatBytes(bytes)} of ${formatBytes(total)}`;
  return bytes === 0 && total === null ? `${files} files so far` : moved;
}

function line(report: StagingReport): string {
  const end = report.error === undefined ? '' : `: ${report.error}`;
  return `${report.action} ${report.from} → ${report.to}: ${report.state}, ${progress(report)}${end}`;
}
