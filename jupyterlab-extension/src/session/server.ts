import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { type ErrorData, errorDataSchema, PilothouseError } from '@pilothouse/sdk/internal';
import { z } from 'zod';

const statusSchema = z.object({
  state: z.enum(['running', 'stopped', 'failed']),
  error: errorDataSchema.nullish(),
});

/** What the Jupyter server knows about Pilothouse. */
export interface ServerStatus {
  readonly state: 'running' | 'stopped' | 'failed';
  readonly error: ErrorData | null;
}

/** The part of Pilothouse inside the Jupyter server: it finds or starts Pilothouse, and relays the connection. */
export class Server {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  /** Address of the relay; the token goes along only where JupyterLab itself would add it. */
  websocketUrl(): string {
    const url = URLExt.join(this.settings.wsUrl, 'pilothouse', 'ws');
    const { appendToken, token } = this.settings;
    return appendToken && token !== '' ? `${url}?token=${encodeURIComponent(token)}` : url;
  }

  /** Asks whether Pilothouse runs; starts nothing. Never rejects: a server that cannot say is a failed state. */
  status(): Promise<ServerStatus> {
    return this.request('status', 'GET');
  }

  /** Starts Pilothouse where it does not run yet. */
  start(): Promise<ServerStatus> {
    return this.request('start', 'POST');
  }

  private async request(path: string, method: 'GET' | 'POST'): Promise<ServerStatus> {
    const url = URLExt.join(this.settings.baseUrl, 'pilothouse', path);
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, { method }, this.settings);
    } catch (error) {
      return failed(
        new PilothouseError('BRIDGE_UNREACHABLE', 'the Jupyter server does not answer', {
          hint: 'Check that JupyterLab still runs and that you are online, then press Retry.',
          cause: error,
        }),
      );
    }
    if (response.status === 404) {
      return failed(
        new PilothouseError('BRIDGE_UNREACHABLE', 'this Jupyter server has no Pilothouse server extension', {
          hint: 'Install the Python package "pilothouse" where JupyterLab runs, then restart JupyterLab.',
        }),
      );
    }
    return this.read(response);
  }

  private async read(response: Response): Promise<ServerStatus> {
    const text = await response.text();
    const body = parse(text);
    const status = statusSchema.safeParse(body);
    if (status.success) return { state: status.data.state, error: status.data.error ?? null };
    const error = errorDataSchema.safeParse(body);
    if (error.success) return { state: 'failed', error: error.data };
    return failed(
      new PilothouseError('BRIDGE_UNREACHABLE', `the Jupyter server answered ${response.status} to Pilothouse`, {
        hint: response.status === 403 ? 'Log in to JupyterLab again.' : 'Restart JupyterLab, then press Retry.',
        evidence: text.slice(0, 500),
      }),
    );
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: a proxy's page, say. The caller shows the text as evidence.
    return undefined;
  }
}

function failed(error: PilothouseError): ServerStatus {
  return { state: 'failed', error: error.toJSON() };
}
