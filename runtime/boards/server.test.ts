/** Who may ask the server what, over HTTP. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WhyReport } from '../execution/why/report.ts';
import { type Access, guardedAccess, openAccess } from './access.ts';
import { linkEngine } from './engine-link.ts';
import { boardErrors } from './errors.ts';
import { type BoardServer, type BoardServerOptions, startBoardServer } from './server.ts';

const tokens = { viewer: 'ma-cua-nguoi-xem', operator: 'ma-cua-nguoi-truc', auditor: 'ma-cua-nguoi-soat' };
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const tokenFile = `tokens:
  - { name: Màn hình lớn, roles: [view], sha256: ${sha256(tokens.viewer)} }
  - { name: Nguyễn Văn Thử, roles: [operate], sha256: ${sha256(tokens.operator)} }
  - { name: Trần Thị Thử, roles: [reveal], sha256: ${sha256(tokens.auditor)} }
`;

interface Taken {
  readonly body: unknown;
  readonly key: string | undefined;
}

/** A source of actions that takes note; the first `failures` requests are not taken. */
async function startActions(failures = 0): Promise<{ server: Server; url: string; taken: Taken[] }> {
  const taken: Taken[] = [];
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
    taken.push({
      body: JSON.parse(Buffer.concat(chunks).toString()),
      key: incoming.headers['idempotency-key']?.toString(),
    });
    response.writeHead(taken.length <= failures ? 503 : 200, { 'content-type': 'application/json' });
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, taken };
}

describe('the server of the boards', () => {
  let folder: string;
  const closing: (() => Promise<unknown> | unknown)[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mach-boards-'));
    closing.push(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 }));
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function start(access: Access, more: Partial<BoardServerOptions> = {}): Promise<BoardServer> {
    const server = await startBoardServer({
      store: { read: async () => ({ columns: [], rows: [] }) },
      folder,
      access,
      engine: linkEngine(async () => undefined),
      ...more,
    });
    closing.push(() => server.close());
    return server;
  }

  async function guarded(): Promise<Access> {
    const file = join(folder, 'tokens.yaml');
    await writeFile(file, tokenFile);
    return guardedAccess(file);
  }

  const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  it('gives the page and its parts with a policy that lets nothing else in', async () => {
    const { url } = await start(openAccess());
    const page = await fetch(`${url}/d/anything?kiosk`);
    expect(await page.text()).toContain('/assets/page.js');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    for (const part of ['page.js', 'page.css', 'inter-vietnamese-wght-normal.woff2']) {
      expect((await fetch(`${url}/assets/${part}`)).status).toBe(200);
    }
    expect((await fetch(`${url}//assets/..%2f..%2fpackage.json`)).headers.get('content-type')).toContain('text/html');
  });

  it('refuses a name of another site that leads to loopback', async () => {
    const { url } = await start(openAccess());
    const status = await new Promise((resolve, reject) => {
      request(`${url}/api/boards`, { headers: { host: 'evil.example:8099' } }, ({ statusCode }) => resolve(statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(403);
  });

  it('tells why a result is there, one at a time, and says what it cannot tell', async () => {
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let atOnce = 0;
    let atOnceMost = 0;
    const explain = async (result: string) => {
      atOnceMost = Math.max(atOnceMost, ++atOnce);
      await (result === 'slow' ? released : new Promise((resolve) => setTimeout(resolve, 20)));
      atOnce--;
      if (result === 'gone') throw boardErrors.make('MACH3313', { result, reason: 'MACH3261' });
      return { topology: result } as unknown as WhyReport;
    };
    const { url } = await start(openAccess(), { explain });
    const ask = async (result: string) => {
      const response = await fetch(`${url}/api/why?result=${encodeURIComponent(result)}`);
      return [response.status, await response.json()];
    };
    expect(await Promise.all(['a', 'b/s1/0/1/0', ' c '].map(ask))).toEqual([
      [200, { topology: 'a' }],
      [200, { topology: 'b/s1/0/1/0' }],
      [200, { topology: 'c' }],
    ]);
    expect(atOnceMost).toBe(1);
    expect(await ask('gone')).toMatchObject([expect.any(Number), { code: 'MACH3313' }]);
    for (const wrong of ['', '  ', 'x'.repeat(501)])
      expect(await ask(wrong)).toMatchObject([400, { code: 'MACH3304' }]);
    let refused = 0;
    const flood = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const [status] = await ask('slow');
        if (status !== 200 && ++refused === 11) release();
        return status;
      }),
    );
    expect(flood.filter((status) => status === 200)).toHaveLength(9);
    const closed = await start(openAccess());
    const answer = await fetch(`${closed.url}/api/why?result=a`);
    expect(await answer.json()).toMatchObject({ code: 'MACH3313' });
  });

  it('says what is wrong with files, and shows the others', async () => {
    await writeFile(join(folder, 'a.json'), JSON.stringify({ uid: 'a', title: 'A', schemaVersion: 42, panels: [] }));
    await writeFile(join(folder, 'twin.json'), JSON.stringify({ uid: 'a', title: 'B', schemaVersion: 42, panels: [] }));
    await writeFile(join(folder, 'broken.json'), '{');
    await writeFile(join(folder, 'v2.json'), JSON.stringify({ panels: 'no' }));
    await writeFile(join(folder, 'other.json'), '{}');
    const { url } = await start(openAccess());
    const { boards, problems } = (await (await fetch(`${url}/api/boards`)).json()) as {
      boards: { uid: string }[];
      problems: string[];
    };
    expect(boards.map(({ uid }) => uid)).toEqual(['a', 'a']);
    expect(problems.map((one) => /MACH3301 {2}the board (\S+)/.exec(one)?.[1])).toEqual([
      'broken.json',
      'v2.json',
      'twin.json',
    ]);
    expect((await fetch(`${url}/api/boards/none`)).status).toBe(404);
    expect((await fetch(`${url}/api/nothing`)).status).toBe(404);
    expect((await fetch(`${url}/api/__proto__`)).status).toBe(404);
  });

  it('wants JSON of a known form', async () => {
    await writeFile(join(folder, 'a.json'), JSON.stringify({ uid: 'a', title: 'A', schemaVersion: 42, panels: [] }));
    const { url } = await start(openAccess());
    const path = `${url}/api/boards/a/variables`;
    expect((await post(path, { from: 1, to: 2 })).status).toBe(200);
    expect((await post(path, { from: 1, to: 2, sql: 'SELECT 1' })).status).toBe(400);
    expect((await fetch(path, { method: 'POST', body: '{}' })).status).toBe(400);
    expect((await post(path, { from: 1, to: 2, chosen: { x: ['y'.repeat(100_000)] } })).status).toBe(400);
  });

  it('asks for a token where there are tokens, and gives each the rights of its roles', async () => {
    const actions = await startActions();
    closing.push(() => actions.server.close());
    const revealed: unknown[] = [];
    const engine = {
      clock: async () => ({ now: 1, engine: null }),
      ask: async () =>
        Response.json({
          name: 't',
          nodes: [{ id: 'a', kind: 'source', definition: 'alert-actions' }],
          addresses: { a: actions.url },
        }),
    };
    const reveal = async (asked: unknown) => {
      revealed.push(asked);
      return { text: 'MSH|...' };
    };
    const { url } = await start(await guarded(), { engine, reveal });
    expect((await fetch(`${url}/api/boards`)).status).toBe(401);
    expect((await fetch(`${url}/api/boards`, { headers: bearer('wrong') })).status).toBe(401);
    expect((await fetch(`${url}/api/boards`, { headers: bearer(tokens.viewer) })).status).toBe(200);

    const act = { alertId: ` crowding/${'H8'.repeat(1_000)}/t`, action: 'acknowledge', by: 'Someone Else' };
    expect((await post(`${url}/api/alerts`, act, bearer(tokens.viewer))).status).toBe(403);
    const acted = await post(`${url}/api/alerts`, act, bearer(tokens.operator));
    // The name is that of the token, whatever the browser says.
    expect([acted.status, await acted.json()]).toEqual([200, { by: 'Nguyễn Văn Thử' }]);
    expect(actions.taken.map(({ body }) => body)).toEqual([
      { alert_id: act.alertId, action: 'acknowledge', by: 'Nguyễn Văn Thử', to: null, note: null },
    ]);

    const look = { letter: '1f0a', reason: 'hồ sơ 12' };
    expect((await post(`${url}/api/reveal`, look, bearer(tokens.operator))).status).toBe(403);
    expect((await post(`${url}/api/reveal`, { letter: '1f0a', reason: '' }, bearer(tokens.auditor))).status).toBe(400);
    expect(await (await post(`${url}/api/reveal`, look, bearer(tokens.auditor))).json()).toEqual({ text: 'MSH|...' });
    expect(revealed).toEqual([{ ...look, by: 'Trần Thị Thử' }]);
  });

  it('keeps a login in a cookie that scripts and other sites cannot use', async () => {
    const { url } = await start(await guarded());
    expect((await post(`${url}/api/login`, { token: 'wrong' })).status).toBe(403);
    const answer = await post(`${url}/api/login`, { token: tokens.operator });
    expect(await answer.json()).toEqual({ name: 'Nguyễn Văn Thử', roles: ['view', 'operate'], isGuarded: true });
    const cookie = answer.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/HttpOnly; SameSite=Strict/);
    const session = await fetch(`${url}/api/session`, { headers: { cookie: cookie.split(';')[0] ?? '' } });
    expect(await session.json()).toMatchObject({ name: 'Nguyễn Văn Thử' });
    // Of another server of this host, whose cookies are sent to all of its ports.
    const strange = await fetch(`${url}/api/session`, { headers: { cookie: 'mach_boards=%' } });
    expect(strange.status).toBe(401);
    const both = await fetch(`${url}/api/session`, { headers: { cookie: `mach_boards=%; ${cookie.split(';')[0]}` } });
    expect(await both.json()).toMatchObject({ name: 'Nguyễn Văn Thử' });
  });

  it('writes an action once however often it is sent, and says when it could not', async () => {
    const actions = await startActions(2);
    closing.push(() => actions.server.close());
    const graph = {
      name: 't',
      nodes: [{ id: 'a', kind: 'source', definition: 'alert-actions' }],
      addresses: { a: actions.url },
    };
    const engine = { clock: async () => ({ now: 1, engine: null }), ask: async () => Response.json(graph) };
    const { url } = await start(openAccess(), { engine });
    const act = { alertId: 'a', action: 'assign', by: 'Nguyễn Văn Thử', to: 'Trần Thị Thử' };
    expect((await post(`${url}/api/alerts`, act)).status).toBe(200);
    expect(new Set(actions.taken.map(({ key }) => key)).size).toBe(1);
    expect(actions.taken).toHaveLength(3);
    expect((await post(`${url}/api/alerts`, { ...act, to: '' })).status).toBe(400);
    expect((await post(`${url}/api/alerts`, { alertId: 'a', action: 'acknowledge' })).status).toBe(400);

    const silent = await start(openAccess(), {
      engine: { ...engine, ask: async () => Response.json({ ...graph, nodes: [] }) },
    });
    const refused = await post(`${silent.url}/api/alerts`, act);
    expect([refused.status, await refused.json()]).toMatchObject([503, { code: 'MACH3312' }]);
  });

  it('passes no word on that somebody who asks for a person is written down', async () => {
    const asked: string[] = [];
    const ask = async (path: string) => {
      asked.push(path);
      return Response.json({});
    };
    const { url } = await start(openAccess(), { engine: { clock: async () => ({ now: 1, engine: null }), ask } });
    const response = await fetch(`${url}/api/engine/why?node=by_patient&key=A&audit=x&audit=y`);
    expect([response.status, asked]).toEqual([200, ['/why?node=by_patient&key=A']]);
  });

  it.each([
    ['', 'tokens'],
    ['tokens: []', 'tokens'],
    ['tokens: [{ name: A, roles: [rule], sha256: x }]', 'roles'],
    ['tokens: [{ name: A, roles: [view], sha256: 12 }]', 'sha256'],
  ])('does not start with a file of tokens like %j', async (text, reason) => {
    const file = join(folder, 'tokens.yaml');
    await writeFile(file, text);
    await expect(guardedAccess(file)).rejects.toMatchObject({
      code: 'MACH3307',
      message: expect.stringContaining(reason),
    });
  });

  it('says when its port is taken, and that no engine answers', async () => {
    const { url } = await start(openAccess());
    const port = Number(new URL(url).port);
    await expect(start(openAccess(), { port })).rejects.toMatchObject({ code: 'MACH3306' });
    expect(await (await fetch(`${url}/api/clock`)).json()).toMatchObject({ engine: null });
    const graph = await fetch(`${url}/api/engine/graph`);
    expect([graph.status, await graph.json()]).toMatchObject([503, { code: 'MACH3310' }]);
    expect((await fetch(`${url}/api/engine/checkpoint`)).status).toBe(404);
  });
});
