import { rm } from 'node:fs/promises';
import {
  type AgentFrame,
  BEAT_SECONDS,
  type BridgeFrame,
  LINK_PROTOCOL,
  PilothouseError,
} from '@pilothouse/sdk/internal';
import { Router } from 'zeromq';
import type { Logger } from '../logger.js';
import { decodeFrame } from './decode.js';

/** Silence after which contact counts as lost: three missed beats. */
const SILENCE_MS = 3 * BEAT_SECONDS * 1000;
/** Strangers that the log names; more say nothing new. */
const IGNORED_NAMES = 100;
/** Characters of spool records that go over the link; more is read from the spool, where it stands anyway. */
const INLINE = 512 * 1024;
/** Milliseconds that an agent has for a reply. */
const REPLY_MS = 5000;

export type Reply = Extract<AgentFrame, { type: 'reply' }>;
type Asked = Extract<BridgeFrame, { re: number }>;
/** A question to an agent, before it has a number. */
export type Question = Asked extends infer F ? (F extends Asked ? Omit<F, 're'> : never) : never;

/** What the link tells its owner. */
export interface LinkEvents {
  /** Whether an agent of that pilot may connect. */
  known(pilot: string): boolean;
  /** Number of the last journal record that has been applied. */
  have(pilot: string): number;
  frame(pilot: string, frame: AgentFrame): void;
  contact(pilot: string, lost: boolean): void;
}

interface Peer {
  /** Monotonic milliseconds until which silence means nothing. */
  deadline: number;
  heard: boolean;
  lost: boolean;
}

interface Pending {
  readonly pilot: string;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/** The ZeroMQ end that agents connect to. It speeds things up; nothing is lost without it, since both sides keep files. */
export class AgentLink {
  // `handover`: an agent that comes back takes over the name its old connection may still hold.
  readonly #socket = new Router({ linger: 0, handover: true, sendHighWaterMark: 10_000, receiveHighWaterMark: 10_000 });
  readonly #peers = new Map<string, Peer>();
  readonly #pending = new Map<number, Pending>();
  readonly #ignored = new Set<string>();
  #outbox: [string, string][] = [];
  #sending = false;
  #re = 0;
  #closed = false;
  #watchdog: NodeJS.Timeout | undefined;

  constructor(
    private readonly path: string,
    private readonly epoch: number,
    private readonly log: Logger,
    private readonly events: LinkEvents,
  ) {}

  /** Binds the socket; the one of an earlier bridge is removed first, which only the holder of the lock may do. */
  async open(): Promise<void> {
    await rm(this.path, { force: true });
    await this.#socket.bind(`ipc://${this.path}`);
    this.#receive().catch((error: unknown) => {
      if (!this.#closed) this.log.error('the link to agents ended', error);
    });
    this.#watchdog = setInterval(() => this.#watch(), BEAT_SECONDS * 1000);
    this.#watchdog.unref();
  }

  /** Waits for the agent of a pilot to be heard; contact counts as lost when it is not within this time. */
  expect(pilot: string, milliseconds = SILENCE_MS): void {
    if (this.#peers.has(pilot)) return;
    this.#peers.set(pilot, { deadline: performance.now() + milliseconds, heard: false, lost: false });
  }

  /** Whether an agent of that pilot is heard of. */
  connected(pilot: string): boolean {
    const peer = this.#peers.get(pilot);
    return peer?.heard === true && !peer.lost;
  }

  /** Sends a frame; dropped when no agent of that pilot is connected, which costs nothing but time. */
  send(pilot: string, frame: BridgeFrame): void {
    if (this.connected(pilot) && !this.#closed) this.#post(pilot, JSON.stringify(frame));
  }

  #post(pilot: string, text: string): void {
    this.#outbox.push([pilot, text]);
    if (!this.#sending) this.#drain().catch((error: unknown) => this.log.error('a frame could not be sent', error));
  }

  /**
   * Tells an agent what now stands in its spool: the lines themselves where they are short, else the last of them alone,
   * which makes it read the file.
   */
  spooled(pilot: string, lines: readonly string[]): void {
    const last = lines.at(-1);
    if (last === undefined || !this.connected(pilot) || this.#closed) return;
    const length = lines.reduce((sum, line) => sum + line.length, 0);
    const inline = length <= INLINE ? lines.join(',') : last;
    this.#post(pilot, `{"type":"spool","records":[${inline}]}`);
  }

  /** Asks an agent; rejects with NODE_LOST when it cannot be reached. */
  ask(pilot: string, question: Question): Promise<Reply> {
    if (!this.connected(pilot)) return Promise.reject(unreachable(pilot));
    this.#re += 1;
    const re = this.#re;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#settle(re)?.reject(unreachable(pilot)), REPLY_MS);
      this.#pending.set(re, { pilot, resolve, reject, timer });
      this.send(pilot, { ...question, re });
    });
  }

  /** Forgets a pilot that has ended. */
  forget(pilot: string): void {
    this.#peers.delete(pilot);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#watchdog);
    for (const re of [...this.#pending.keys()]) {
      const pending = this.#settle(re);
      pending?.reject(unreachable(pending.pilot));
    }
    this.#socket.close();
    await rm(this.path, { force: true });
  }

  async #receive(): Promise<void> {
    for await (const [identity, payload] of this.#socket) {
      if (identity === undefined || payload === undefined) continue;
      this.#accept(identity.toString('utf8'), payload);
    }
  }

  #accept(pilot: string, payload: Buffer): void {
    if (!this.events.known(pilot)) {
      this.#ignore(pilot);
      return;
    }
    const frame = decodeFrame(payload);
    if (frame === null) {
      this.log.warn(`a frame of ${pilot} is not valid and was ignored`);
      return;
    }
    this.#hear(pilot);
    try {
      this.#handle(pilot, frame);
    } catch (error) {
      this.log.error(`a frame of ${pilot} could not be used`, error);
    }
  }

  /** An agent that is no longer known goes on talking until it finds out: said once. */
  #ignore(pilot: string): void {
    const name = pilot.slice(0, 40);
    if (this.#ignored.has(name) || this.#ignored.size >= IGNORED_NAMES) return;
    this.#ignored.add(name);
    this.log.warn(`frames of "${name}", no live pilot, are ignored`);
  }

  #handle(pilot: string, frame: AgentFrame): void {
    if (frame.type === 'hello') {
      if (frame.protocol !== LINK_PROTOCOL) {
        this.log.error(`the agent of ${pilot} speaks link protocol ${frame.protocol}, this bridge ${LINK_PROTOCOL}`);
      }
      this.send(pilot, {
        type: 'welcome',
        protocol: LINK_PROTOCOL,
        epoch: this.epoch,
        haveSeq: this.events.have(pilot),
      });
    }
    if (frame.type === 'beat') this.send(pilot, { type: 'beat', epoch: this.epoch });
    if (frame.type === 'reply') {
      const pending = this.#settle(frame.re);
      if (frame.error === undefined) pending?.resolve(frame);
      else pending?.reject(PilothouseError.from(frame.error));
      return;
    }
    this.events.frame(pilot, frame);
  }

  #hear(pilot: string): void {
    const peer = this.#peers.get(pilot);
    const news = peer === undefined || peer.lost || !peer.heard;
    this.#peers.set(pilot, { deadline: performance.now() + SILENCE_MS, heard: true, lost: false });
    if (news) this.events.contact(pilot, false);
  }

  #watch(): void {
    const now = performance.now();
    for (const [pilot, peer] of this.#peers) {
      if (peer.lost || peer.deadline > now) continue;
      peer.lost = true;
      this.events.contact(pilot, true);
    }
  }

  async #drain(): Promise<void> {
    this.#sending = true;
    try {
      while (this.#outbox.length > 0 && !this.#closed) {
        const batch = this.#outbox;
        this.#outbox = [];
        for (const frame of batch) await this.#socket.send(frame);
      }
    } finally {
      this.#sending = false;
    }
  }

  #settle(re: number): Pending | undefined {
    const pending = this.#pending.get(re);
    if (pending !== undefined) clearTimeout(pending.timer);
    this.#pending.delete(re);
    return pending;
  }
}

function unreachable(pilot: string): PilothouseError {
  return new PilothouseError('NODE_LOST', 'the node of this pilot cannot be reached at the moment', {
    hint: 'Try again in a moment; what runs there goes on.',
    ids: { pilot },
  });
}
