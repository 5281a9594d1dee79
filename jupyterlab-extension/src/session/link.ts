import type { Connection, Hello, Session } from '@pilothouse/sdk';
import type { ErrorData } from '@pilothouse/sdk/internal';
import { BehaviorSubject, distinctUntilChanged, type Observable } from 'rxjs';
import type { Server } from './server.js';

/** How this page stands with Pilothouse. */
export interface LinkState {
  readonly state: 'connecting' | 'connected' | 'broken';
  /** Set while broken: what failed, with the remedy in `hint`. */
  readonly error: ErrorData | null;
  readonly bridge: Hello | null;
}

/** A lost connection shows as broken only after this long, so that a short cut does not flicker. */
const PATIENCE_MS = 1500;

/** The connection as people need to see it: calm about short cuts, clear about what is broken and what to do. */
export class LinkMonitor {
  private readonly subject = new BehaviorSubject<LinkState>({ state: 'connecting', error: null, bridge: null });
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly session: Session,
    private readonly server: Pick<Server, 'start' | 'status'>,
  ) {
    session.connection$.subscribe((connection) => this.onConnection(connection));
  }

  get value(): LinkState {
    return this.subject.value;
  }

  /** Replays the last state. */
  get value$(): Observable<LinkState> {
    return this.subject.pipe(distinctUntilChanged());
  }

  /** Starts Pilothouse where it does not run, then connects at once. */
  async retry(): Promise<void> {
    this.clearTimer();
    this.subject.next({ state: 'connecting', error: null, bridge: null });
    const status = await this.server.start();
    const connected = this.session.connection.state === 'CONNECTED';
    if (status.state === 'failed' && !connected) {
      this.subject.next({ state: 'broken', error: status.error, bridge: null });
      return;
    }
    this.session.reconnect();
    // Where the connection was there all the time, nothing will tell of a new one.
    if (connected) this.onConnection(this.session.connection);
  }

  /** Everything a person who helps would ask for, as text; holds no secrets. */
  async diagnosis(): Promise<string> {
    const { connection } = this.session;
    const status = await this.server.status();
    const lines = [
      'Pilothouse diagnosis',
      `Time: ${new Date().toISOString()}`,
      `Browser: ${navigator.userAgent}`,
      `Connection: ${connection.state}`,
      ...(connection.error === null ? [] : [`  ${connection.error.code}: ${connection.error.message}`]),
      `Jupyter server says: ${status.state}`,
      ...(status.error === null ? [] : errorLines(status.error)),
    ];
    if (connection.state === 'CONNECTED') {
      const checks = await this.session.doctor();
      lines.push(
        ...checks.map((check) => `[${check.result}] ${check.title}: ${check.evidence}${remedy(check.remedy)}`),
      );
    }
    return lines.join('\n');
  }

  private onConnection({ state, error, bridge }: Connection): void {
    if (state === 'CONNECTED') {
      this.clearTimer();
      this.subject.next({ state: 'connected', error: null, bridge });
      return;
    }
    const broken: LinkState | null = error === null ? null : { state: 'broken', error: asData(error), bridge: null };
    // Once broken, it stays so until it is mended: each further attempt only says why anew.
    if (broken !== null && (state === 'CLOSED' || this.subject.value.state === 'broken')) {
      this.clearTimer();
      this.subject.next(broken);
      return;
    }
    if (this.subject.value.state === 'connected') {
      this.subject.next({ state: 'connecting', error: null, bridge: null });
    }
    if (broken === null) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const { connection } = this.session;
      if (connection.state !== 'CONNECTED' && connection.error !== null) {
        this.subject.next({ state: 'broken', error: asData(connection.error), bridge: null });
      }
    }, PATIENCE_MS);
  }

  private clearTimer(): void {
    if (this.timer !== undefined) clearTimeout(this.timer);
    this.timer = undefined;
  }
}

function asData({ code, message, hint }: NonNullable<Connection['error']>): ErrorData {
  return { code, message, ...(hint === undefined ? {} : { hint }), retryable: true, ids: {} };
}

function errorLines(error: ErrorData): string[] {
  return [
    `  ${error.code}: ${error.message}`,
    ...(error.hint === undefined ? [] : [`  What to do: ${error.hint}`]),
    ...(error.evidence === undefined ? [] : [`  Evidence: ${error.evidence}`]),
  ];
}

function remedy(text: string | null): string {
  return text === null ? '' : ` (${text})`;
}
