import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

const executablePath = PLACES.find((path) => existsSync(path));

/** Why there are no tests in a browser here; undefined where there are. */
export const noBrowser = executablePath ? undefined : `no Chromium at ${PLACES.join(', ')}`;

/** The system's Chromium, headless; playwright's own download is not used. */
export function openBrowser(): Promise<Browser> {
  const quiet = ['quic', 'background-networking', 'component-update', 'sync'].map((part) => `--disable-${part}`);
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', ...quiet];
  return chromium.launch({ ...(executablePath ? { executablePath } : {}), args });
}
