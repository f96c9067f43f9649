/** The page in a real browser, over the embedded store: what a person does with a board, by mouse and by keyboard. */
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  noBrowser,
  type OpenPage,
  openPage,
  type screens,
  seriousFaults,
  startBrowser,
} from '../testing/with-browser.ts';
import { startTestStore, type TestStore } from '../testing/with-store.ts';
import { openAccess } from './access.ts';
import type { EngineClock } from './engine-link.ts';
import { type BoardServer, startBoardServer } from './server.ts';

const now = Date.parse('2026-03-02T10:00:00+07:00');
const folder = fileURLToPath(new URL('fixtures', import.meta.url));
const pictures = fileURLToPath(new URL('../../.mach/screenshots', import.meta.url));
const running: EngineClock = { now, engine: { state: 'running', lagMs: 1_000 } };

describe('a board in the browser', () => {
  let test: TestStore;
  let server: BoardServer;
  let browser: Browser | undefined;
  let clock: EngineClock | undefined = running;
  let opened: OpenPage | undefined;

  beforeAll(async () => {
    browser = await startBrowser();
    if (!browser) return;
    mkdirSync(pictures, { recursive: true });
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
        clock: async () => {
          if (!clock) throw new Error('the server has gone');
          return clock;
        },
        ask: async () => new Response('{}'),
      },
    });
  });

  beforeEach(({ skip }) => {
    if (!browser) skip(noBrowser);
    clock = running;
  });

  afterEach(async () => {
    await opened?.page.context().close();
    opened = undefined;
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await test?.stop();
  });

  async function open(path: string, screen: keyof typeof screens = 'laptop'): Promise<Page> {
    opened = await openPage(browser as Browser, `${server.url}${path}`, screen);
    await opened.page.waitForSelector('.board[data-refreshes]');
    return opened.page;
  }

  const states = (page: Page) =>
    page.$$eval('[data-panel]', (panels) => panels.map((one) => one.getAttribute('data-state')));
  /** Resolves with the next refresh after something was done. */
  async function refreshed(page: Page, act: () => Promise<unknown>): Promise<void> {
    const before = await page.getAttribute('.board', 'data-refreshes');
    await act();
    await expect.poll(() => page.getAttribute('.board', 'data-refreshes'), { timeout: 60_000 }).not.toBe(before);
  }
  const rows = (page: Page) => page.locator('[data-panel="4"] tbody tr').allTextContents();

  it('shows every kind of panel, its numbers are those of the store, and nothing complains', async () => {
    const page = await open('/d/departments');
    expect(await states(page)).toEqual(Array.from({ length: 8 }, () => 'shown'));
    const [row] = await test.store.query<{ n: number }>(
      'SELECT toInt32(sum(c)) AS n FROM (SELECT argMax(census, minute) AS c FROM seen GROUP BY hospital)',
    );
    expect(await page.getAttribute('[data-panel="2"] .stat', 'data-value')).toBe(String(row?.n));
    expect(await page.locator('[data-panel="2"] .stat-value').textContent()).toBe(`●${row?.n}người`);
    expect(await rows(page)).toEqual(['H110:00:0020', 'H210:00:0030', 'H310:00:0040']);
    expect(await page.locator('[data-panel="5"] .bar-row').allTextContents()).toEqual([
      'H1●20 người',
      'H2▲30 người',
      'H3◆40 người',
    ]);
    expect(await page.locator('[data-panel="6"] .mark').count()).toBe(3);
    expect(await page.locator('[data-panel="7"] .lane').count()).toBe(3);
    expect(await page.locator('[data-panel="8"] .bar-row').count()).toBe(5);
    expect(await page.locator('[data-panel="3"] .chart').getAttribute('aria-label')).toBe(
      'Theo thời gian. gần nhất: H1 20; H2 30; H3 40',
    );
    // HTML in a text is shown as it is written.
    expect(await page.locator('[data-panel="9"]').textContent()).toContain('<script>alert(1)</script>');
    expect(opened?.complaints).toEqual([]);
  });

  it('takes variables, a time range, a refresh and a sort by mouse, and keeps them in the address', async () => {
    const page = await open('/d/departments?refresh=off');
    await page.click('details[data-variable="hospital"] summary');
    for (const name of ['H1', 'H3']) await page.setChecked(`.boxes input[value="${name}"]`, name === 'H3');
    await page.setChecked('.boxes input[value="H2"]', true);
    await refreshed(page, () => page.click('details[data-variable="hospital"] button[type="submit"]'));
    expect(await rows(page)).toEqual(['H210:00:0030', 'H310:00:0040']);
    expect(await page.getAttribute('[data-panel="2"] .stat', 'data-value')).toBe('70');
    expect(new URL(page.url()).searchParams.getAll('var-hospital')).toEqual(['H2', 'H3']);

    await refreshed(page, () => page.selectOption('select[name="range"]', 'now-15m|now'));
    expect(new URL(page.url()).searchParams.get('from')).toBe('now-15m');
    expect(await page.locator('[data-panel="8"] .bar-row').count()).toBeLessThanOrEqual(2);

    await page.click('[data-panel="4"] th button[data-column="census"]');
    expect(await rows(page)).toEqual(['H310:00:0040', 'H210:00:0030']);

    await test.store.command(`INSERT INTO seen VALUES ('H2', fromUnixTimestamp64Milli(${now - 500}), 77)`);
    try {
      await refreshed(page, () => page.selectOption('select[name="refresh"]', '5s'));
      // Comes by itself, without a hand on anything.
      await refreshed(page, async () => undefined);
      expect(new URL(page.url()).searchParams.get('refresh')).toBe('5s');
    } finally {
      await test.store.command('DELETE FROM seen WHERE census = 77');
    }
    await page.goBack();
    expect(new URL(page.url()).searchParams.get('refresh')).toBe('off');
    expect(opened?.complaints).toEqual([]);
  });

  it('changes the language with what is chosen, and stays with it', async () => {
    const page = await open('/d/departments?var-hospital=H1');
    expect(await page.getAttribute('html', 'lang')).toBe('vi');
    await page.click('button.language');
    await page.waitForURL(/departments-en/);
    await page.waitForSelector('h3:text("Each hospital")');
    expect(await page.getAttribute('html', 'lang')).toBe('en');
    expect(new URL(page.url()).searchParams.get('var-hospital')).toBe('H1');
    await page.goto(server.url);
    await page.waitForSelector('.list a');
    expect(await page.locator('.list a').allTextContents()).toEqual([
      'Test departmentsAll kinds of panels over made-up numbers',
    ]);
    expect(opened?.complaints).toEqual([]);
  });

  it('is used by the keyboard alone', async () => {
    const page = await open('/d/departments?refresh=off');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.className')).toBe('skip');
    const reach = async (selector: string) => {
      for (let step = 0; step < 80; step++) {
        if (await page.evaluate(`document.activeElement.matches(${JSON.stringify(selector)})`)) return;
        await page.keyboard.press('Tab');
      }
      throw new Error(`Tab does not lead to ${selector}`);
    };
    await reach('details[data-variable="hospital"] summary');
    await page.keyboard.press('Enter');
    await reach('.boxes input[value="H1"]');
    await page.keyboard.press('Space');
    await reach('details[data-variable="hospital"] button[type="submit"]');
    await refreshed(page, () => page.keyboard.press('Enter'));
    expect(await rows(page)).toEqual(['H110:00:0020']);

    await reach('.kind-table th button[data-column="census"]');
    await page.keyboard.press('Enter');
    expect(await page.getAttribute('th:has(button[data-column="census"])', 'aria-sort')).toBe('descending');
    await reach('.legend button');
    await page.keyboard.press('Space');
    expect(await page.getAttribute('.legend button', 'aria-pressed')).toBe('false');
    await reach('.mark');
    const first = await page.evaluate("document.activeElement.getAttribute('aria-label')");
    await page.keyboard.press('ArrowRight');
    const second = await page.evaluate("document.activeElement.getAttribute('aria-label')");
    expect([first, second]).toEqual(['H3: 40 người', 'H2: 30 người']);
    expect(await page.locator('.map-tip').textContent()).toContain('H2');

    await page.reload();
    await page.waitForSelector('.board[data-refreshes]');
    await reach('button[aria-label="Toàn màn hình"]');
    await page.keyboard.press('Enter');
    await page.waitForSelector('body.kiosk');
    expect(await page.isVisible('.toolbar')).toBe(false);
    await page.keyboard.press('Escape');
    await page.waitForSelector('body:not(.kiosk)');
    expect(opened?.complaints).toEqual([]);
  });

  it.each([
    ['wall', '/d/departments?kiosk'],
    ['laptop', '/d/departments'],
    ['phone', '/d/departments'],
  ] as const)(
    'reads well on a %s: nothing is cut off sideways, and axe finds no serious fault',
    async (screen, path) => {
      const page = await open(path, screen);
      const wide = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      expect(wide).toBeLessThanOrEqual(0);
      const tall = await page.evaluate('document.documentElement.scrollHeight - document.documentElement.clientHeight');
      if (screen === 'wall') expect(tall).toBeLessThanOrEqual(0);
      // Read from three metres: a fifteenth of the screen's height.
      const size = Number(
        await page.evaluate("parseFloat(getComputedStyle(document.querySelector('.stat-value')).fontSize)"),
      );
      expect(size).toBeGreaterThan(screen === 'wall' ? 64 : 30);
      await page.screenshot({ path: `${pictures}/fixture-${screen}.png`, fullPage: true });
      expect(await seriousFaults(page)).toEqual([]);
    },
  );

  it('is never green because it is silent: what is old, late or away is said to be', async () => {
    const page = await open('/d/departments?refresh=off');
    expect(await page.isVisible('.banner')).toBe(false);
    clock = { now, engine: { state: 'running', lagMs: 25 * 60_000 } };
    await refreshed(page, () => page.click('button[aria-label="Làm mới ngay"]'));
    expect(await page.locator('.banner').textContent()).toBe('▲ Bộ máy xử lý đang chậm 25 phút');
    clock = { now, engine: null };
    await refreshed(page, () => page.click('button[aria-label="Làm mới ngay"]'));
    expect(await page.locator('.banner').textContent()).toContain('không trả lời');
    clock = undefined;
    await page.route('**/panels/**', (route) => route.abort());
    await refreshed(page, () => page.click('button[aria-label="Làm mới ngay"]'));
    expect(await page.locator('.banner').textContent()).toContain('Mất kết nối với máy chủ');
    await page.waitForSelector('[data-panel="2"].stale');
    const filter = `getComputedStyle(document.querySelector('[data-panel="2"] .panel-body')).filter`;
    await expect.poll(() => page.evaluate(filter)).toContain('grayscale(1)');
    // The number stays, so that who looks still has the last that was known.
    expect(await page.getAttribute('[data-panel="2"] .stat', 'data-value')).toBe('90');
    await page.unroute('**/panels/**');
    clock = running;
    await refreshed(page, () => page.click('button[aria-label="Làm mới ngay"]'));
    await page.waitForSelector('[data-panel="2"]:not(.stale)');
    expect(await page.isVisible('.banner')).toBe(false);
  });

  it('shows no number where there is none', async () => {
    const page = await open('/d/departments?refresh=off&from=2020-01-01T00:00:00Z&to=2020-01-01T01:00:00Z');
    expect(await states(page)).toEqual(['empty', 'empty', 'empty', 'empty', 'empty', 'empty', 'empty', 'shown']);
    expect(await page.locator('[data-panel="4"] .no-data').textContent()).toBe('Không có dữ liệu');
  });

  it('sends no query to the browser', async () => {
    const answer = await fetch(`${server.url}/api/boards/departments`);
    expect(await answer.text()).not.toMatch(/SELECT/i);
    expect(await readFile(`${folder}/departments.json`, 'utf8')).toMatch(/SELECT/);
  });
});
