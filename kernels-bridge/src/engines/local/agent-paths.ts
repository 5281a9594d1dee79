import { agentMain, wardenScript } from '@pilothouse/agent/paths';

/** Where the programs of an agent lie. */
export interface AgentPaths {
  /** The agent, a module for the private Node. */
  readonly agentMain: string;
  /** The warden, a Python script. */
  readonly wardenScript: string;
}

/** The agent that comes with this bridge. */
export const installedAgent: AgentPaths = { agentMain, wardenScript };
