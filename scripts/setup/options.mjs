// The options of `npm start`, checked before anything is installed.
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { REPO } from '../lib/paths.mjs';
import { SetupError } from './progress.mjs';

export const HELP = `Sets Pilothouse up in this checkout and opens it in JupyterLab.

  npm start -- [options]

  --port N            port for JupyterLab; a free one where left out
  --no-browser        open no browser; the address is printed in any case
  --workspace DIR     folder for notebooks (default: ./workspace); made ready, never overwritten
  --base-url PATH     path under which JupyterLab is reached, such as /user/x/ behind a portal
  --help              this text

State lies in ~/.pilothouse (or $PILOTHOUSE_HOME), sockets in /tmp/pilothouse-<uid> (or $PILOTHOUSE_RUNTIME_DIR).
Ctrl-C stops JupyterLab; pilots and what runs in them go on until they end or are ended.`;

/**
 * @param {string[]} argv
 * @returns {{ help: boolean, port: number | undefined, browser: boolean, workspace: string, baseUrl: string }}
 */
export function parseOptions(argv) {
  let values;
  try {
    ({ values } = parseArgs({
      args: argv,
      options: {
        port: { type: 'string' },
        'no-browser': { type: 'boolean', default: false },
        workspace: { type: 'string' },
        'base-url': { type: 'string', default: '/' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (cause) {
    throw new SetupError(`${cause.message}`, { hint: '`npm start -- --help` lists the options.', cause });
  }
  return {
    help: values.help,
    port: values.port === undefined ? undefined : port(values.port),
    browser: !values['no-browser'],
    // npm changes into the root of the checkout; a relative folder means the one the user is in.
    workspace:
      values.workspace === undefined
        ? join(REPO, 'workspace')
        : resolve(process.env.INIT_CWD ?? process.cwd(), values.workspace),
    baseUrl: baseUrl(values['base-url']),
  };
}

function port(text) {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= 65535) return number;
  throw new SetupError(`--port ${text} is no port.`, { hint: 'Give a number from 1 to 65535.' });
}

function baseUrl(text) {
  if (!/^\/?[\w.~@/-]*$/.test(text)) {
    throw new SetupError(`--base-url ${text} is no path.`, { hint: 'Give a path such as /user/x/.' });
  }
  return `/${text}/`.replace(/\/+/g, '/');
}
