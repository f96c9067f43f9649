/** The boards of the repository in a real browser over the demo: the made-up city, the engine and the page, as one sees them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
} from '../runtime/testing/with-browser.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const pictures = join(root, '.mach/screenshots');
const boardsOf = (language: string) =>
  readdirSync(join(root, 'dashboards/generated/boards', language)).map((file) => file.replace(/\.json$/, ''));

/** Nothing need be in them: no alert has come to its end yet. */
const mayBeEmpty = new Set(['Đã hết', 'Closed']);

describe('the boards over the demo', { timeout: 240_000 }, () => {
  let browser: Browser | undefined;
  let demo: ChildProcess | undefined;
  let folder: string;
  let said = '';
  let opened: OpenPage | undefined;

  const address = (pattern: RegExp) => pattern.exec(said)?.[1] as string;
  const wall = () => address(/the wall +(http:\S+)\/d\//);

  beforeAll(async () => {
    browser = await startBrowser();
    if (!browser) return;
    mkdirSync(pictures, { recursive: true });
    folder = await mkdtemp(join(tmpdir(), 'mach-wall-'));
    const { NATS_URL: _, CLICKHOUSE_URL: __, ...env } = process.env;
    const args = ['bin/mach.js', 'demo', '--data', folder, '--speed', '60'];
    demo = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'ignore', 'pipe'] });
    await new Promise<void>((resolve, reject) => {
      demo?.stderr?.on('data', (chunk) => {
        said += chunk;
        if (/the wall +http/.test(said)) resolve();
      });
      demo?.on('exit', () => reject(new Error(`the demo has ended: ${said}`)));
    });
  });

  beforeEach(({ skip }) => {
    if (!browser) skip(noBrowser);
  });

  afterEach(async () => {
    await opened?.page.context().close();
    opened = undefined;
  });

  afterAll(async () => {
    await browser?.close();
    if (demo && demo.exitCode === null) {
      demo.kill('SIGKILL');
      await once(demo, 'exit');
    }
    if (folder) await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 500 });
  });

  async function open(path: string, screen: keyof typeof screens = 'laptop'): Promise<Page> {
    opened = await openPage(browser as Browser, `${wall()}${path}`, screen);
    return opened.page;
  }

  async function query(sql: string): Promise<Record<string, number>> {
    const store = address(/ClickHouse (http:\S+)/);
    const response = await fetch(store, { method: 'POST', body: `${sql} FORMAT JSONEachRow` });
    return JSON.parse((await response.text()).split('\n')[0] as string) as Record<string, number>;
  }

  /** Panels that show nothing, or could not. */
  async function unshown(page: Page): Promise<string[]> {
    const panels = await page.$$eval('[data-panel]', (all) =>
      all.map((one) => [
        one.getAttribute('data-state'),
        one.querySelector('h3')?.textContent,
        one.querySelector('.panel-note')?.textContent,
      ]),
    );
    if (panels.length === 0) return ['no panel yet'];
    return panels
      .filter(([state, title]) => state !== 'shown' && !(state === 'empty' && mayBeEmpty.has(title ?? '')))
      .map((one) => one.join(': '));
  }

  it.each(boardsOf('vi').flatMap((uid) => [[uid, uid === 'mach-wall' ? 'wall' : 'laptop'] as const]))(
    '%s shows something in every panel, and nothing complains',
    async (uid, screen) => {
      const page = await open(`/d/${uid}?refresh=5s${screen === 'wall' ? '&kiosk' : ''}`, screen);
      await expect.poll(() => unshown(page), { timeout: 180_000, interval: 1_000 }).toEqual([]);
      await page.screenshot({ path: join(pictures, `${uid}.png`), fullPage: true });
      expect(await seriousFaults(page)).toEqual([]);
      expect(opened?.complaints).toEqual([]);
    },
  );

  it('shows the wall in English on a phone, without a word cut off sideways', async () => {
    const page = await open('/d/mach-wall-en', 'phone');
    await expect.poll(() => unshown(page), { timeout: 120_000, interval: 1_000 }).toEqual([]);
    const wide = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    expect(wide).toBeLessThanOrEqual(0);
    expect(await page.getAttribute('html', 'lang')).toBe('en');
    await page.screenshot({ path: join(pictures, 'mach-wall-en-phone.png'), fullPage: true });
    expect(opened?.complaints).toEqual([]);
  });

  it('shows the numbers that the store has at that time', async () => {
    await expect
      .poll(async () => (await query('SELECT count(DISTINCT hospital) AS n FROM ed_status')).n, { timeout: 120_000 })
      .toBe(8);
    const { at = 0 } = await query('SELECT toUnixTimestamp64Milli(max(minute)) - 180000 AS at FROM ed_status');
    const page = await open(`/d/mach-emergency?refresh=off&from=${at - 3_600_000}&to=${at}`);
    await page.waitForSelector('.board[data-refreshes]', { timeout: 200_000 });
    const tile = page.locator('section', { hasText: 'Toàn thành phố' }).locator('.stat').first();
    // What comes late corrects the past: then both say so at their next look.
    const difference = async () => {
      const refreshes = await page.getAttribute('.board', 'data-refreshes');
      await page.click('button[aria-label="Làm mới ngay"]');
      await page.waitForSelector(`.board:not([data-refreshes="${refreshes}"])`, { timeout: 200_000 });
      const { census } = await query(
        `SELECT sum(c) AS census FROM (SELECT argMax(census, tuple(minute, _version)) AS c FROM ed_status WHERE minute <= fromUnixTimestamp64Milli(${at}) AND minute > fromUnixTimestamp64Milli(${at}) - INTERVAL 15 MINUTE GROUP BY hospital)`,
      );
      expect(census).toBeGreaterThan(0);
      return Number(await tile.getAttribute('data-value')) - (census ?? 0);
    };
    await expect.poll(difference, { timeout: 120_000 }).toBe(0);
    expect(await page.locator('.kind-table tbody tr').count()).toBe(8);
  });

  it('acknowledges an alert under the name of who did it', async () => {
    const page = await open('/d/mach-alerts?refresh=5s');
    await page.locator('button[data-alert]').first().click({ timeout: 200_000 });
    await page.fill('dialog input[name="by"]', 'Nguyễn Văn Thử');
    expect(await seriousFaults(page)).toEqual([]);
    await page.click('dialog button[data-action="acknowledge"]');
    await expect
      .poll(() => page.textContent('dialog [role="status"]'), { timeout: 30_000 })
      .toContain('Đã ghi vào nhật ký');
    await page.locator('dialog button:not([data-action])').click();
    await page.locator('td', { hasText: 'Nguyễn Văn Thử' }).first().waitFor({ timeout: 120_000 });
    const { n } = await query(
      "SELECT count() AS n FROM alerts WHERE state = 'acknowledged' AND acknowledged_by = 'Nguyễn Văn Thử'",
    );
    expect(n).toBe(1);
    expect(opened?.complaints).toEqual([]);
  });

  it('leads from an alert to the messages that raised it', async () => {
    const inbox = await open('/d/mach-alerts');
    const found = inbox.locator('a[href*="/why?result="]');
    await found.first().waitFor({ timeout: 200_000 });
    const links = await found.evaluateAll((anchors) => anchors.map((anchor) => anchor.getAttribute('href') ?? ''));
    await inbox.context().close();
    const explained = async (link: string) => {
      const page = await open(link.replace(/^https?:\/\/[^/]+/, ''));
      await page.waitForSelector('.why[data-ready]', { timeout: 180_000 });
      expect(await page.textContent('.why .card h2')).toContain('alerts');
      expect(await page.textContent('.verdict')).toContain('✓');
      expect(await page.locator('.steps li').count()).toBeGreaterThan(1);
      // Of a patient, whoever may not see it is told so.
      expect(await page.textContent('.messages')).toContain('Nội dung được che');
      return page;
    };
    const [newest, ...others] = [...new Set(links)].slice(0, 3);
    for (const link of others) await (await explained(link)).context().close();
    const page = await explained(newest as string);
    await page.screenshot({ path: join(pictures, 'why.png'), fullPage: true });
    expect(await seriousFaults(page)).toEqual([]);
    expect(opened?.complaints).toEqual([]);
    await page.fill('input[name="result"]', 'no-such-alert');
    await page.keyboard.press('Enter');
    await page.locator('.why .wrong').waitFor({ timeout: 120_000 });
    expect(await page.textContent('.why .wrong')).toMatch(/MACH\d{4}/);
  });

  it('shows the running topology: rates, what passes, dead letters, why a window is open, what changed', async () => {
    const page = await open('/topology');
    await page.waitForSelector('.topology[data-ready]');
    const { nodes } = JSON.parse(await (await fetch(`${wall()}/api/engine/graph`)).text()) as {
      nodes: { id: string }[];
    };
    expect(await page.locator('[data-node]').count()).toBe(nodes.length);
    await expect.poll(() => page.locator('.edge.flows').count(), { timeout: 60_000 }).toBeGreaterThan(0);
    expect(await page.getAttribute('[data-node="census"]', 'data-health')).toMatch(/well|watch|trouble/);

    await page.focus('[data-node="adt"]');
    await page.keyboard.press('Enter');
    await page.click('.tap-button');
    // A message about nobody has no patient to hide, so the first one may show none.
    await expect
      .poll(async () => (await page.locator('.tap li').allTextContents()).join('\n'), { timeout: 60_000 })
      .toContain('patient_id:•••');

    await page.click('[data-node="census"]');
    await page.fill('input[name="key"]', 'H8');
    await page.click('form:has(input[name="key"]) button');
    await expect.poll(() => page.textContent('.open-answer'), { timeout: 60_000 }).toContain('Mốc thời gian');
    await page.locator('.changes time').first().waitFor();
    await page.locator('.letters').waitFor();
    await page.screenshot({ path: join(pictures, 'topology.png'), fullPage: true });
    expect(await seriousFaults(page)).toEqual([]);
    expect(opened?.complaints).toEqual([]);
  });

  it('ends with the demo', async () => {
    const url = wall();
    expect((await fetch(`${url}/api/clock`)).status).toBe(200);
    demo?.kill('SIGINT');
    await once(demo as ChildProcess, 'exit');
    await expect(fetch(`${url}/api/clock`)).rejects.toThrow();
    expect(readFileSync(join(folder, 'truth/summary.json'), 'utf8')).not.toBe('');
  });
});
