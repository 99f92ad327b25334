/** A real browser for tests of pages: the machine's Chromium, which calls nobody but this machine. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

/** The program itself before Debian's wrapper, which needs more than a bare machine has on its PATH. */
const PLACES = [
  '/usr/lib/chromium/chromium',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

export const NO_BROWSER = 'no Chromium is installed here: apt-get install chromium';

/** Where it is; null where there is none, which `BROWSER_TESTS=required` makes an error. */
export function findBrowser(): string | null {
  const found = PLACES.find((path) => existsSync(path)) ?? null;
  if (found === null && process.env['BROWSER_TESTS'] === 'required') throw new Error(NO_BROWSER);
  return found;
}

/** Starts it with a home and an environment of its own. */
export async function startBrowser(
  executablePath: string,
): Promise<AsyncDisposable & { readonly browser: Browser }> {
  const home = mkdtempSync(join(tmpdir(), 'ccp-browser-'));
  const browser = await chromium.launch({
    executablePath,
    // Root has no sandbox to offer; only pages of our own are opened.
    chromiumSandbox: false,
    args: [
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE ::1',
    ],
    env: { HOME: home, PATH: process.env['PATH'] ?? '' },
  });
  return {
    browser,
    async [Symbol.asyncDispose]() {
      await browser.close();
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
