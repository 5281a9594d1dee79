import type { Socket } from 'node:net';
import type { Placement } from '@pilothouse/sdk/shared';
import type { Grant } from '../scheduler/demand.js';
import type { Call } from './call.js';
import { frame } from './frames.js';
import type { CallResult, WorkerMessage } from './messages.js';
import { callOf, functionKey } from './spec.js';
import { MOST_BYTES, Window } from './window.js';
import type { WorkerFiles } from './worker-files.js';

type Hello = Extract<WorkerMessage, { type: 'hello' }>;

/** Results after which a worker is told at once that they are safe. */
const ACK_AFTER = 64;

/** Numbers of calls: never used twice, not by a later agent either, as long as clocks go on. */
let lastNumber = Date.now() * 1000;

/** Numbers below this one are an earlier agent's. */
export function firstNumber(): number {
  return lastNumber + 1;
}

/** One worker: what it was given, what it has told, what may be taken back. */
export class Worker {
  readonly id: string;
  readonly files: WorkerFiles;
  #grant: Grant | undefined;
  #placement: Placement | undefined;
  /** When it got its grant, in milliseconds (monotonic). */
  #grantedAt = 0;
  /** When it last had something to do. */
  restsSince = performance.now();
  pid: number | undefined;
  /** It is being ended, or says that its sources have changed: it gets nothing more. */
  leaving = false;
  /** It was told to exit by itself. */
  dismissed = false;
  /** Beginning with the first, which it is at. */
  readonly #given = new Map<number, Call>();
  readonly #window = new Window();
  readonly #functions = new Map<string, number>();
  /** Number by run, of what it has told and is not in the journal yet; in order. */
  readonly #told = new Map<string, number>();
  #lastFunction = 0;
  #lastTold = 0;
  #acked = 0;
  /** Results that have become safe since it was told so. */
  #unsaid = 0;
  readonly #bytes = new Map<number, number>();
  #bytesGiven = 0;
  /** Last number of what was taken back and not yet left out by the worker. */
  #takenBack: number | undefined;
  #socket: Socket | undefined;
  #headSince = 0;

  constructor(id: string, files: WorkerFiles) {
    this.id = id;
    this.files = files;
  }

  /** What it holds of the node; undefined: it holds nothing and rests. */
  get grant(): Grant | undefined {
    return this.#grant;
  }

  get placement(): Placement | undefined {
    return this.#placement;
  }

  get grantedAt(): number {
    return this.#grantedAt;
  }

  /** It holds resources from now on. */
  holds(grant: Grant, placement: Placement): void {
    this.#grant = grant;
    this.#placement = placement;
    this.#grantedAt = performance.now();
  }

  /** What it has held and holds no more. */
  releases(): Grant | undefined {
    const grant = this.#grant;
    this.#grant = undefined;
    return grant;
  }

  get connected(): boolean {
    return this.#socket !== undefined;
  }

  get busy(): boolean {
    return this.#given.size > 0;
  }

  /** The call it is at. */
  get head(): Call | undefined {
    return this.#given.values().next().value;
  }

  get given(): number {
    return this.#given.size;
  }

  /** It has told a result already. */
  get useful(): boolean {
    return this.#lastTold > 0;
  }

  /** Results that may still be lost with the agent. */
  get untold(): boolean {
    return this.#told.size > 0;
  }

  /** How many calls it can take now. */
  get room(): number {
    if (!this.connected || this.leaving || this.#grant === undefined || this.#takenBack !== undefined) return 0;
    if (this.#bytesGiven >= MOST_BYTES) return 0;
    const { size } = this.#window;
    // Filled up when half of it is done, so that calls come several at a time.
    return this.#given.size <= size / 2 ? size - this.#given.size : 0;
  }

  /** Goes on with a connection. Results in it are for the pool to hand out. */
  greeted(socket: Socket, hello: Hello): void {
    this.#socket = socket;
    this.pid = hello.pid;
    this.#lastFunction = Math.max(this.#lastFunction, hello.functions);
    this.#functions.clear();
    if (hello.stale) this.leaving = true;
  }

  /** Goes on with a call that an earlier agent gave and that has begun. */
  adopt(number: number, call: Call): void {
    this.#given.set(number, call);
    call.at = this;
    this.#headSince = performance.now();
  }

  disconnected(): void {
    this.#socket = undefined;
  }

  /** Hands over calls. */
  give(calls: readonly Call[]): void {
    const known: string[] = [];
    const texts: string[] = [];
    for (const call of calls) {
      const { work } = call;
      if (work === undefined) continue;
      lastNumber += 1;
      const { function: reference, args } = callOf(work);
      const key = functionKey(reference);
      let number = this.#functions.get(key);
      if (number === undefined) {
        this.#lastFunction += 1;
        number = this.#lastFunction;
        this.#functions.set(key, number);
        known.push(`"${number}":${key}`);
      }
      const cwd = work.cwd === work.submission.cwd ? 'null' : JSON.stringify(work.cwd);
      const text = `[${lastNumber},${JSON.stringify(call.runId)},${number},${args === undefined ? 'null' : JSON.stringify(args)},${cwd}]`;
      texts.push(text);
      this.#bytes.set(lastNumber, text.length);
      this.#bytesGiven += text.length;
      this.#given.set(lastNumber, call);
      call.at = this;
    }
    const functions = known.length > 0 ? `"functions":{${known.join(',')}},` : '';
    const acked = this.#ackText();
    this.#send(`{"type":"calls",${acked}${functions}"calls":[${texts.join(',')}]}`);
    if (this.#given.size === calls.length) this.#begins();
  }

  /** Takes a result; undefined when it is of a call that an earlier agent gave. */
  took(result: CallResult): Call | undefined {
    const { number, runId, wall } = result;
    this.#told.set(runId, number);
    this.#lastTold = Math.max(this.#lastTold, number);
    this.#window.took(wall);
    const call = this.#given.get(number);
    if (call === undefined) return undefined;
    const wasHead = call === this.head;
    this.#forget(number);
    if (!this.busy) this.restsSince = performance.now();
    else if (wasHead) this.#begins();
    return call;
  }

  /** Its end is in the journal. */
  acknowledge(runId: string): void {
    if (!this.#told.delete(runId)) return;
    this.#unsaid += 1;
    // Otherwise it comes with the next calls, or with time.
    if (this.#unsaid >= ACK_AFTER) this.acknowledgeNow();
  }

  /** Lets the worker forget what is safe. */
  acknowledgeNow(): void {
    const text = this.#ackText();
    if (text !== '') this.#send(`{"type":"ack",${text.slice(0, -1)}}`);
  }

  /** Milliseconds for which it has been at its first call, when it was given others to come after. */
  heldUp(now: number): number {
    return this.#given.size > 1 && this.#takenBack === undefined ? now - this.#headSince : 0;
  }

  /**
   * Takes back what has not begun.
   *
   * @returns calls that never run here
   */
  takeBack(): Call[] {
    const [head] = this.#given.keys();
    if (head === undefined || this.#given.size < 2) return [];
    this.#window.narrow();
    const end = lastNumber + 1;
    this.files.forbid(head + 1, end);
    const begun = this.files.begun();
    const back: Call[] = [];
    let last: number | undefined;
    for (const [number, call] of [...this.#given]) {
      if (number === head || begun.has(number)) continue;
      this.#forget(number);
      back.push(call);
      last = number;
    }
    this.#takenBack = last;
    return back;
  }

  /** The worker has left out what was taken back, up to this number; gives what it had begun to, too late. */
  skipped(upto: number): Call | undefined {
    const call = this.#given.get(upto);
    if (call !== undefined) this.#forget(upto);
    if (this.#takenBack !== undefined && upto >= this.#takenBack) this.#takenBack = undefined;
    if (this.busy) this.#begins();
    return call;
  }

  /** Takes back all from a number on, of which the worker says that nothing has begun. */
  notBegun(from: number): Call[] {
    const back: Call[] = [];
    for (const [number, call] of [...this.#given]) {
      if (number < from) continue;
      this.#forget(number);
      back.push(call);
    }
    return back;
  }

  /** It is gone: what it had begun, and what it never will. */
  takeApart(): { readonly begun: readonly Call[]; readonly back: readonly Call[] } {
    const started = this.files.begun();
    const begun: Call[] = [];
    const back: Call[] = [];
    for (const [number, call] of [...this.#given]) {
      (started.has(number) ? begun : back).push(call);
      this.#forget(number);
    }
    return { begun, back };
  }

  /** Asks it to exit by itself. */
  dismiss(): void {
    this.leaving = true;
    this.dismissed = true;
    this.#send('{"type":"exit"}');
  }

  #ackText(): string {
    // Results come in order: all before the first that is not safe yet are.
    const first = this.#told.values().next().value;
    const safe = first === undefined ? this.#lastTold : first - 1;
    if (safe <= this.#acked) return '';
    this.#acked = safe;
    this.#unsaid = 0;
    return `"acked":${safe},`;
  }

  #begins(): void {
    this.#headSince = performance.now();
    this.head?.started(this.pid, this.#placement);
  }

  #forget(number: number): void {
    const call = this.#given.get(number);
    if (call !== undefined) call.at = undefined;
    this.#given.delete(number);
    this.#bytesGiven -= this.#bytes.get(number) ?? 0;
    this.#bytes.delete(number);
  }

  #send(json: string): void {
    this.#socket?.write(frame(json));
  }
}
