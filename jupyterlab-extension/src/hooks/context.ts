import { createContext, useContext } from 'react';
import type { IPilothouse } from '../tokens.js';

const AppContext = createContext<IPilothouse | null>(null);
const ActiveContext = createContext(true);

export const AppProvider = AppContext.Provider;

/** Tells the parts below whether anybody can see them; hidden parts stop updating. */
export const ActiveProvider = ActiveContext.Provider;

/** What all parts of the extension share. */
export function useApp(): IPilothouse {
  const app = useContext(AppContext);
  if (app === null) throw new Error('a Pilothouse component needs AppProvider above it');
  return app;
}

/** Whether this part is visible at the moment. */
export function useActive(): boolean {
  return useContext(ActiveContext);
}
