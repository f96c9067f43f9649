/** The page in a real browser, over the embedded store. */
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { noBrowser, openPage, startBrowser } from '../testing/with-browser.ts';
import { startTestStore, type TestStore } from '../testing/with-store.ts';
import { openAccess } from './access.ts';
import { type BoardServer, startBoardServer } from './server.ts';

const now = Date.parse('2026-03-02T10:00:00+07:00');
const folder = fileURLToPath(new URL('fixtures', import.meta.url));

describe('a board in the browser', () => {
  let test: TestStore;
  let server: BoardServer;
  let browser: Browser | undefined;

  beforeAll(async () => {
    browser = await startBrowser();
    if (!browser) return;
    test = await startTestStore();
    await test.store.command(
      'CREATE TABLE seen (hospital String, minute DateTime64(3), census UInt32) ENGINE = MergeTree ORDER BY (hospital, minute)',
    );
    await test.store.command(
      `INSERT INTO seen SELECT concat('H', toString(1 + number % 3)), fromUnixTimestamp64Milli(${now} - 60000 * intDiv(number, 3)), 20 + number % 3 * 10 + intDiv(number, 3) % 7 FROM numbers(180)`,
    );
    server = await startBoardServer({
      store: test.store,
      folder,
      access: openAccess(),
      engine: {
        clock: async () => ({ now, engine: { state: 'running', lagMs: 1_000 } }),
        ask: async () => new Response('{}'),
      },
    });
  });

  beforeEach(({ skip }) => {
    if (!browser) skip(noBrowser);
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await test?.stop();
  });

  it('shows a number, lines and a table, and nothing complains', async () => {
    const { page, complaints } = await openPage(browser as Browser, `${server.url}/d/departments`);
    await page.waitForSelector('.board[data-refreshes]');
    const states = await page.$$eval('[data-panel]', (panels) => panels.map((one) => one.getAttribute('data-state')));
    expect(states).toEqual(['shown', 'shown', 'shown']);
    const [row] = await test.store.query<{ n: number }>(
      'SELECT toInt32(sum(c)) AS n FROM (SELECT argMax(census, minute) AS c FROM seen GROUP BY hospital)',
    );
    expect(await page.getAttribute('.stat', 'data-value')).toBe(String(row?.n));
    expect(await page.locator('.stat-value').textContent()).toContain(String(row?.n));
    expect(await page.locator('tbody tr').allInnerTexts()).toEqual([
      expect.stringMatching(/^H1\s+10:00:00\s+20$/),
      expect.stringMatching(/^H2\s+10:00:00\s+30$/),
      expect.stringMatching(/^H3\s+10:00:00\s+40$/),
    ]);
    expect(await page.locator('canvas').count()).toBe(1);
    expect(complaints).toEqual([]);
    await page.screenshot({ path: '.mach/screenshots/fixture-laptop.png' });
    await page.context().close();
  });
});
