// The browser of browser tests, pictures and benchmarks.
import { existsSync } from 'node:fs';

const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/**
 * The system's Chromium, or `$PILOTHOUSE_CHROMIUM`. No browser is downloaded.
 * @returns {string}
 */
function findChromium(env = process.env) {
  const found = env.PILOTHOUSE_CHROMIUM ?? CANDIDATES.find((path) => existsSync(path));
  if (found !== undefined && existsSync(found)) return found;
  throw new Error(
    `No Chromium was found (${[env.PILOTHOUSE_CHROMIUM, ...CANDIDATES].filter(Boolean).join(', ')}). ` +
      'Install it (Debian: `apt install chromium`), or name it in PILOTHOUSE_CHROMIUM.',
  );
}

/** How Playwright starts it: without a display, without a GPU, and without traffic of its own. */
export function launchOptions() {
  return {
    executablePath: findChromium(),
    args: [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-dev-shm-usage',
    ],
  };
}
