import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AgentFrame,
  agentFrameSchema,
  type BridgeFrame,
  type JournalRecord,
  LINK_PROTOCOL,
} from '@pilothouse/sdk/shared';
import { Router } from 'zeromq';
import type { TestPilot } from './pilot.js';

/** The other end of the link, as a bridge holds it: welcomes, acknowledges, answers beats, keeps what it got. */
export class TestBridge {
  readonly epoch: number;
  readonly frames: AgentFrame[] = [];
  readonly events: JournalRecord[] = [];
  /** Whether events are acknowledged. */
  acks = true;
  /** Whether what comes is dropped, as if it had never arrived. */
  silent = false;
  /** Journal records that were dropped. */
  readonly dropped: JournalRecord[] = [];
  readonly #pilot: TestPilot;
  readonly #socket = new Router({ handover: true, linger: 0 });
  #sending: Promise<unknown> = Promise.resolve();

  private constructor(pilot: TestPilot, epoch: number) {
    this.#pilot = pilot;
    this.epoch = epoch;
  }

  static async open(pilot: TestPilot, epoch = 1): Promise<TestBridge> {
    const bridge = new TestBridge(pilot, epoch);
    const address = `ipc://${join(pilot.runtimeDir, `agents-${epoch}.ipc`)}`;
    await bridge.#socket.bind(address);
    const file = join(pilot.folder, 'connect.json');
    writeFileSync(`${file}.new`, JSON.stringify({ v: 1, epoch, addresses: [address] }), { mode: 0o600 });
    renameSync(`${file}.new`, file);
    void bridge.#run();
    return bridge;
  }

  send(frame: BridgeFrame): void {
    this.#sending = this.#sending.then(async () => {
      if (!this.#socket.closed) await this.#socket.send([this.#pilot.id, JSON.stringify(frame)]);
    });
  }

  /** Frames of one kind, in the order they came. */
  of<T extends AgentFrame['type']>(type: T): Extract<AgentFrame, { type: T }>[] {
    return this.frames.filter((frame): frame is Extract<AgentFrame, { type: T }> => frame.type === type);
  }

  close(): void {
    this.#socket.close();
  }

  async #run(): Promise<void> {
    try {
      for await (const [id, data] of this.#socket) {
        if (id?.toString() !== this.#pilot.id || data === undefined) continue;
        const frame = agentFrameSchema.parse(JSON.parse(data.toString()));
        if (this.silent) {
          if (frame.type === 'events') this.dropped.push(...frame.records);
          continue;
        }
        this.frames.push(frame);
        if (frame.type === 'hello') {
          const haveSeq = this.events.at(-1)?.seq ?? 0;
          this.send({ type: 'welcome', protocol: LINK_PROTOCOL, epoch: this.epoch, haveSeq });
        } else if (frame.type === 'beat') {
          this.send({ type: 'beat', epoch: this.epoch });
        } else if (frame.type === 'events') {
          this.events.push(...frame.records);
          if (this.acks) this.send({ type: 'ack', seq: frame.records.at(-1)?.seq ?? 0 });
        }
      }
    } catch (error) {
      // Closing the socket ends the loop with an error of the library's own.
      if (!this.#socket.closed) throw error;
    }
  }
}
