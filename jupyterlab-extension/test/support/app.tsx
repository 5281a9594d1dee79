import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { createTestSession, type TestSessionOptions } from '@pilothouse/sdk/testing';
import { render } from '@testing-library/react';
import type { ReactNode } from 'react';
import { AppProvider } from '../../src/hooks/context.js';
import { Hidden } from '../../src/session/hidden.js';
import { LinkMonitor } from '../../src/session/link.js';
import { Memory } from '../../src/session/memory.js';
import { Preferences } from '../../src/session/preferences.js';
import type { Server } from '../../src/session/server.js';
import type { IPilothouse } from '../../src/tokens.js';

/** The extension's shared parts over a session in memory. */
export function createTestApp(options: TestSessionOptions = {}) {
  const { session, controls } = createTestSession(options);
  const server: Pick<Server, 'status' | 'start'> = {
    status: async () => ({ state: 'running', error: null }),
    start: async () => ({ state: 'running', error: null }),
  };
  const executed: { command: string; args: object }[] = [];
  const commands = new CommandRegistry();
  commands.commandExecuted.connect((_, { id, args }) => executed.push({ command: id, args }));
  const app: IPilothouse = {
    session,
    link: new LinkMonitor(session, server),
    preferences: new Preferences(),
    memory: new Memory(null),
    hidden: new Hidden(session, () => undefined),
    notebook: { language: 'python', kernelName: 'python3', insert: () => true },
    rendermime: null,
    commands,
    trans: nullTranslator.load('pilothouse'),
  };
  return { app, controls, executed, session };
}

/** Renders a component inside the shared parts. */
export function show(app: IPilothouse, content: ReactNode) {
  return render(<AppProvider value={app}>{content}</AppProvider>);
}
