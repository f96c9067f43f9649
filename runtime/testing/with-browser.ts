/** A real browser for tests: the Chromium of the system. Without one, tests that need it are passed over and say why. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import axe, { type AxeResults } from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Why a test in a browser does not run here. */
export const noBrowser =
  'there is no Chromium: sudo apt-get install -y --no-install-recommends chromium, or set MACH_CHROMIUM';

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** Path of Chromium: `MACH_CHROMIUM`, or what is in PATH. */
function findChromium(): string | undefined {
  const given = process.env.MACH_CHROMIUM;
  const folders = (process.env.PATH ?? '').split(delimiter);
  const candidates = given ? [given] : folders.flatMap((folder) => names.map((name) => join(folder, name)));
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** undefined where there is none: tests are passed over and say `noBrowser`. */
export async function startBrowser(): Promise<Browser | undefined> {
  const executablePath = findChromium();
  if (!executablePath) return undefined;
  // Containers have a small /dev/shm, and often no user namespaces; only pages of our own are opened.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'] });
}

export interface OpenPage {
  readonly page: Page;
  /** What the page complained about so far: errors of scripts, of the console, answers that failed. */
  readonly complaints: string[];
}

/** Sizes at which pages are looked at. */
export const screens = {
  wall: { width: 1920, height: 1080 },
  laptop: { width: 1366, height: 768 },
  phone: { width: 390, height: 844 },
} as const;

export async function openPage(
  browser: Browser,
  url: string,
  screen: keyof typeof screens = 'laptop',
): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: screens[screen], locale: 'vi-VN', timezoneId: 'UTC' });
  const page = await context.newPage();
  // A busy machine is slow: what is waited for comes, or the test as a whole ends.
  page.setDefaultTimeout(60_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
  });
  await page.goto(url);
  return { page, complaints };
}

/** What axe calls serious or critical, a line each. */
export async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate('axe.run(document)')) as AxeResults;
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, help, nodes }) =>
        `${id}: ${help}: ${nodes
          .map(({ html }) => html.slice(0, 160))
          .slice(0, 5)
          .join(' | ')}`,
    );
}
