/** What the server answers below `/api`. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { limits } from '../limits.ts';
import type { Access, Person, Role } from './access.ts';
import { cookieName } from './access.ts';
import { actOnAlert } from './act.ts';
import { askPanel, askVariables, type Question } from './ask-panel.ts';
import { withoutQueries } from './board.ts';
import { readBounds } from './choices.ts';
import { boardErrors } from './errors.ts';
import { boardLimits } from './limits.ts';
import { boardFolder } from './load-boards.ts';
import { questionBody, readBody, safeHeaders, sendJson } from './requests.ts';
import type { BoardServerOptions } from './server.ts';
import { makeTurns } from './turns.ts';

export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Without `api`. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

type Route = (call: Call, person: Person) => Promise<void>;

/** What may be asked of the engine as it is; all of it hides what points at a person. */
const engineQuestions = new Set(['graph', 'status', 'dead-letters', 'versions', 'keys', 'why', 'tap']);

const text = (max: number) => z.string().trim().max(max);

const actionBody = z.strictObject({
  alertId: z.string().min(1).max(limits.alertIdLengthMax),
  action: z.enum(['acknowledge', 'assign', 'note']),
  /** Taken only where no token says who it is. */
  by: text(100).optional(),
  to: text(100).optional(),
  note: text(1_000).optional(),
});

const revealBody = z.strictObject({ letter: z.string().regex(/^[0-9a-f]{4,64}$/), reason: text(500).min(3) });

export function makeRoutes(options: BoardServerOptions): (call: Call) => Promise<void> {
  const { access, engine } = options;
  const boards = boardFolder(options.folder);
  const turns = makeTurns({ atOnceMax: boardLimits.queriesAtOnceMax, waitingMax: boardLimits.queriesWaitingMax });

  const explanations = makeTurns({
    atOnceMax: boardLimits.explainsAtOnceMax,
    waitingMax: boardLimits.explainsWaitingMax,
  });

  const routes: Readonly<Record<string, Route>> = {
    session: async ({ response }, { name, roles }) =>
      sendJson(response, 200, { name, roles: [...roles], isGuarded: access.isGuarded }),
    logout: async ({ response }) => sendJson(response, 200, {}, { 'set-cookie': cookieOf('', 0) }),
    clock: async ({ response }) => sendJson(response, 200, await engine.clock()),
    boards: (call) => (call.path.length === 1 ? listBoards(call) : answerBoard(call)),
    maps: answerMap,
    engine: askEngine,
    alerts: answerAction,
    reveal: revealLetter,
    why: explain,
  };

  async function listBoards({ response }: Call): Promise<void> {
    const { boards: found, problems } = await boards.read();
    const list = found.map(({ board: { uid, title, description, tags } }) => ({ uid, title, description, tags }));
    sendJson(response, 200, { boards: list, problems });
  }

  async function answerBoard({ request, response, path }: Call): Promise<void> {
    const [, uid = '', part, id = ''] = path;
    const board = (await boards.read()).boards.find((one) => one.board.uid === uid)?.board;
    if (!board) throw boardErrors.make('MACH3302', { what: 'board', name: uid });
    if (part === undefined) return sendJson(response, 200, { board: withoutQueries(board) });
    const question: Question = { board, ...(await readBody(request, questionBody)) };
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const read = (sql: string) => turns.take(() => options.store.read(sql, readBounds, gone.signal));
    if (part === 'variables') return sendJson(response, 200, { variables: await askVariables(question, read) });
    if (part === 'panels') return sendJson(response, 200, await askPanel(question, Number(id), read));
    throw noAddress(path);
  }

  async function answerMap({ response, path }: Call): Promise<void> {
    const name = path[1] ?? '';
    const map = /^[\w-]+\.geojson$/.test(name) ? await boards.readMap(name) : undefined;
    // A map without lines below its points is a map: no error.
    sendJson(response, 200, map === undefined ? { type: 'FeatureCollection', features: [] } : JSON.parse(map));
  }

  async function askEngine({ response, path, query }: Call): Promise<void> {
    const question = path[1] ?? '';
    if (!engineQuestions.has(question)) throw noAddress(path);
    // What is asked of a person here is not written down, whoever may have written something else.
    query.delete('audit');
    const asked = query.size > 0 ? `?${query}` : '';
    if (question === 'tap') return pass(await openTap(asked, response), response);
    const answer = await engine.ask(`/${question}${asked}`);
    sendJson(response, answer.status, await answer.json());
  }

  async function openTap(asked: string, response: ServerResponse): Promise<Response> {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    return engine.ask(`/tap${asked}`, gone.signal);
  }

  async function answerAction({ request, response }: Call, person: Person): Promise<void> {
    need(person, 'operate');
    const { alertId, action, by, to, note } = await readBody(request, actionBody);
    const name = person.name ?? by;
    if (!name) throw boardErrors.make('MACH3304', { reason: 'it does not say who acts' });
    if (action === 'assign' && !to) throw boardErrors.make('MACH3304', { reason: 'it does not say to whom' });
    const told = { alert_id: alertId, action, by: name, to: to || null, note: note || null };
    await actOnAlert(engine, told, options.actionToken);
    sendJson(response, 200, { by: name });
  }

  async function revealLetter({ request, response }: Call, person: Person): Promise<void> {
    need(person, 'reveal');
    const { letter, reason } = await readBody(request, revealBody);
    if (!options.reveal) throw boardErrors.make('MACH3310', { reason: 'the log is not open here' });
    sendJson(response, 200, await options.reveal({ letter, reason, by: person.name }));
  }

  async function explain({ response, query }: Call): Promise<void> {
    const result = query.get('result')?.trim() ?? '';
    const problem = result === '' ? 'it names no result' : 'the name of the result is too long';
    if (result === '' || result.length > boardLimits.resultLengthMax)
      throw boardErrors.make('MACH3304', { reason: problem });
    const { explain: tell } = options;
    if (!tell) throw boardErrors.make('MACH3313', { result, reason: 'the log is not open here' });
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    sendJson(response, 200, await explanations.take(() => tell(result, gone.signal)));
  }

  return async (call) => {
    const { request, response, path } = call;
    const [what = ''] = path;
    if (what === 'login' && request.method === 'POST') return login(call, access);
    const person = access.personOf(request);
    if (!person) return sendJson(response, 401, { code: null, message: 'a token is needed' });
    const route = Object.hasOwn(routes, what) ? routes[what] : undefined;
    if (!route) throw noAddress(path);
    return route(call, person);
  };
}

const loginBody = z.strictObject({ token: z.string().min(1).max(500) });
/** A wall is logged in once; a token that is taken out of the file ends it. */
const loginSeconds = 90 * 24 * 3_600;

async function login({ request, response }: Call, access: Access): Promise<void> {
  const { token } = await readBody(request, loginBody);
  const person = access.personOfToken(token);
  if (!person) return sendJson(response, 403, { code: null, message: 'the token is not known' });
  const { name, roles } = person;
  const body = { name, roles: [...roles], isGuarded: access.isGuarded };
  sendJson(response, 200, body, { 'set-cookie': cookieOf(encodeURIComponent(token), loginSeconds) });
}

const cookieOf = (value: string, seconds: number) =>
  `${cookieName}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}`;

function need(person: Person, role: Role): void {
  if (!person.roles.has(role)) throw boardErrors.make('MACH3309', { reason: `it needs the role ${role}` });
}

const noAddress = (path: readonly string[]) => boardErrors.make('MACH3302', { what: 'address', name: path.join('/') });

/** Lines as they come, until either side goes away. */
async function pass(answer: Response, response: ServerResponse): Promise<void> {
  response.writeHead(answer.status, { ...safeHeaders, 'content-type': 'application/x-ndjson; charset=utf-8' });
  response.flushHeaders();
  try {
    for await (const chunk of answer.body ?? []) if (!response.writableNeedDrain) response.write(chunk);
  } catch {
    // The browser went away, or the engine did: either way there is no more to tell.
  }
  response.end();
}
