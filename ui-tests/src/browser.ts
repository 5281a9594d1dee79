import { existsSync } from 'node:fs';

const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The system's Chromium, or `$PILOTHOUSE_CHROMIUM`. No browser is downloaded. */
export function findChromium(env: NodeJS.ProcessEnv = process.env): string {
  const found = env.PILOTHOUSE_CHROMIUM ?? CANDIDATES.find((path) => existsSync(path));
  if (found !== undefined && existsSync(found)) return found;
  throw new Error(
    `No Chromium was found (${[env.PILOTHOUSE_CHROMIUM, ...CANDIDATES].filter(Boolean).join(', ')}). ` +
      'Install it (Debian: `apt install chromium`), or name it in PILOTHOUSE_CHROMIUM.',
  );
}
