import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';

/**
 * Chromium treats a page whose response comes from a test as a page of the internet, which may not open
 * sockets to this machine.
 */
const LOCAL_PAGES = '--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets';

/** Starts the machine's Chromium, headless. */
export async function launchBrowser(): Promise<Browser> {
  return chromium.launch(options());
}

/** Launches Chromium with a profile folder, which may contain settings. */
export async function launchProfile(folder: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, options());
}

function options() {
  return {
    executablePath: chromiumPath(),
    args: ['--no-sandbox', '--headless', '--disable-gpu', '--disable-background-networking', LOCAL_PAGES],
  };
}

function chromiumPath(): string {
  const folders = (process.env.PATH ?? '').split(delimiter);
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    const found = folders.map((folder) => join(folder, name)).find(isExecutable);
    if (found !== undefined) return found;
  }
  throw new Error('chromium is not installed: run scripts/test, or install it by your package manager');
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
