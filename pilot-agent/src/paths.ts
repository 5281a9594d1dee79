// The one module of this package that others import: they start it by path and speak to it over files and the link.
import { fileURLToPath } from 'node:url';

/** File that Node is given to run the agent of a pilot; its one argument is the pilot's folder. */
export const agentMain: string = fileURLToPath(new URL('./main.js', import.meta.url));

/** Script that `python3 -I -S -E` is given to run the warden of a pilot. */
export const wardenScript: string = fileURLToPath(new URL('../warden/warden.py', import.meta.url));
