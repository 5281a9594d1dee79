import { relative } from 'node:path';
import type { StagingDirective, StagingReport } from '@pilothouse/sdk/shared';
import { isUrl } from './locations.js';
import type { Progress } from './run.js';

/** Milliseconds between two tellings; the first and the last are told at once. */
const TELL_MS = 250;

/** How far the directives of one order are, told now and then while something changes. */
export class ReportBoard {
  readonly #reports: StagingReport[];
  readonly #tell: (reports: readonly StagingReport[]) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    direction: 'in' | 'out',
    directives: readonly StagingDirective[],
    tell: (reports: readonly StagingReport[]) => void,
  ) {
    this.#tell = tell;
    this.#reports = directives.map((directive) => ({
      direction,
      from: directive.from,
      to: directive.to ?? './',
      action: directive.action ?? (isUrl(directive.from) || isUrl(directive.to ?? './') ? 'transfer' : 'link'),
      state: 'WAITING',
      files: 0,
      bytes: 0,
      total: null,
    }));
  }

  /** As they stand now; not changed later. */
  get all(): readonly StagingReport[] {
    return this.#reports.map((report) => ({ ...report }));
  }

  change(index: number, change: Partial<StagingReport>): void {
    const report = this.#reports[index];
    if (report === undefined) throw new RangeError(`there is no directive ${index}`);
    Object.assign(report, change);
    this.#timer ??= setTimeout(() => this.flush(), TELL_MS).unref();
  }

  /** Counts for a directive. */
  progressOf(index: number): Progress {
    const now = (): StagingReport => {
      const report = this.#reports[index];
      if (report === undefined) throw new RangeError(`there is no directive ${index}`);
      return report;
    };
    return {
      file: () => this.change(index, { files: now().files + 1 }),
      bytes: (more) => this.change(index, { bytes: Math.max(0, now().bytes + more) }),
      expect: (more) => this.change(index, { total: (now().total ?? 0) + more }),
      checksum: (path, hex) => {
        const { path: to, checksums } = now();
        const name = to === undefined ? path : relative(to, path) || '.';
        this.change(index, { checksums: { ...checksums, [name]: hex } });
      },
    };
  }

  /** Tells how things stand, now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#tell(this.all);
  }
}
