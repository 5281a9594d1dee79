import { PilothouseError } from '@pilothouse/sdk/shared';
import type { Runner, RunWatcher } from './runner.js';
import type { Work } from './work.js';

/** Refuses calls of functions, on a node without workers. */
export class NoCalls implements Runner {
  readonly asksItself = true;

  ready(): Promise<void> {
    return Promise.resolve();
  }

  start({ name }: Work, watcher: RunWatcher): void {
    const error = new PilothouseError('FUNCTION_NOT_SENDABLE', `${name}: there are no workers on this node`, {
      hint: 'Submit it as a command.',
    });
    watcher.ended({ ok: false, kind: 'start', error: error.toJSON() });
  }

  adopt(): boolean {
    return false;
  }

  end(): void {}

  acknowledge(): void {}

  explain(): undefined {
    return undefined;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
