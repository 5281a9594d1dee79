// What set-up shows while it works: one line per step when it is done, and on a terminal one more line that lives.
import { performance } from 'node:perf_hooks';

const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

/** A step that could not be done; `hint` says what the user can do about it. */
export class SetupError extends Error {
  /**
   * @param {string} message what is wrong, one sentence
   * @param {{ hint?: string, cause?: unknown }} [options]
   */
  constructor(message, { hint, cause } = {}) {
    super(message, { cause });
    this.name = 'SetupError';
    this.code = 'SETUP_FAILED';
    this.hint = hint;
  }
}

/** Prints steps with their times. Steps may run side by side. */
export class Progress {
  #running = new Map();
  #live;
  #timer;

  /** @param {NodeJS.WriteStream} [out] */
  constructor(out = process.stdout) {
    this.out = out;
    this.#live = out.isTTY === true;
  }

  /**
   * Does one step. `work` returns what to add to the step's line, or nothing; a step that finds its work already done
   * returns `Progress.nothingToDo` and leaves no line.
   * @template T
   * @param {string} title
   * @param {() => Promise<string | symbol | undefined | void>} work
   */
  async step(title, work) {
    const started = performance.now();
    this.#running.set(title, started);
    this.#tick();
    try {
      const note = await work();
      this.#running.delete(title);
      if (note !== Progress.nothingToDo) {
        this.line(
          `  ✓ ${title}${typeof note === 'string' ? `: ${note}` : ''} (${seconds(performance.now() - started)})`,
        );
      }
    } catch (error) {
      this.#running.delete(title);
      this.line(`  ✗ ${title} (${seconds(performance.now() - started)})`);
      throw error;
    } finally {
      this.#tick();
    }
  }

  static nothingToDo = Symbol('nothing to do');

  /** Prints a line of its own. */
  line(text) {
    this.#clear();
    this.out.write(`${text}\n`);
  }

  #tick() {
    this.#clear();
    if (!this.#live || this.#running.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const now = performance.now();
    const parts = [...this.#running].map(([title, started]) => `${title} ${Math.round((now - started) / 1000)} s`);
    this.out.write(`  … ${parts.join(' · ')}`.slice(0, (this.out.columns ?? 80) - 1));
    this.#timer ??= setInterval(() => this.#tick(), 1000).unref();
  }

  #clear() {
    if (this.#live) this.out.write('\r\x1b[2K');
  }
}
