/** The embedded engine: pools of sessions on one data folder, and the ways a statement can reach them. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drainPending } from 'chdb';
import { embeddedLimits } from '../limits.ts';
import { quoteText } from '../sql.ts';
import { assignment, type EngineRequest, type EngineResult, EngineSession } from './engine-session.ts';
import { createSessionPool } from './session-pool.ts';
import { type InsertHead, type StatementKind, statementKind } from './statement.ts';

export interface EngineFacts {
  readonly version: string;
  readonly timezone: string;
}

export interface Engine {
  readonly facts: EngineFacts;
  /** Aborting ends a query that reads, waiting or running: its client has gone. What changes something goes on, as on a server. */
  query(request: EngineRequest, signal: AbortSignal): Promise<EngineResult>;
  /** Inserts what a file holds, in the format of the statement's head. */
  insertFile(head: InsertHead, path: string, request: EngineRequest): Promise<EngineResult>;
  /** A fresh path for the body of an insert. */
  bodyPath(): string;
  idle(): Promise<void>;
  close(): Promise<void>;
}

const noSettings: ReadonlyMap<string, string> = new Map();
const base = { database: 'default', settings: noSettings, parameters: noSettings };

export async function openEngine(directory: string): Promise<Engine> {
  const bodies = join(directory, 'bodies');
  const path = join(directory, 'data');
  mkdirSync(path, { recursive: true });
  const options = {
    path,
    engineArguments: [
      `--max_server_memory_usage=${embeddedLimits.memoryBytesMax}`,
      `--max_result_bytes=${embeddedLimits.resultBytesMax}`,
      // Tables of one topology come and go together with it; a drop that waits minutes would keep their folders.
      '--database_atomic_delay_before_drop_table_sec=0',
    ],
  };
  const open = () => new EngineSession(options);
  const waitingMax = embeddedLimits.waitingRequestsMax;
  const insertPool = createSessionPool({ name: 'insert', size: embeddedLimits.insertSessions, waitingMax, open });
  // Only the process that holds the data folder may clear what an earlier one left.
  rmSync(bodies, { recursive: true, force: true });
  mkdirSync(bodies);
  const pools: Readonly<Record<StatementKind, ReturnType<typeof createSessionPool>>> = {
    insert: insertPool,
    read: createSessionPool({ name: 'read', size: embeddedLimits.readSessions, waitingMax, open }),
    command: createSessionPool({ name: 'command', size: embeddedLimits.commandSessions, waitingMax, open }),
  };
  const killer = open();
  let kills: Promise<unknown> = Promise.resolve();
  const kill = (tag: string) => {
    const sql = `KILL QUERY WHERE Settings['log_comment'] = ${quoteText(tag)} ASYNC`;
    // One at a time, as any session serves.
    const killed = kills.then(() => killer.run({ ...base, sql, format: 'Null' }));
    kills = killed.catch(() => {});
    return killed;
  };
  const text = async (sql: string) => {
    const result = await pools.read.use((session) => session.run({ ...base, sql, format: 'TabSeparated' }));
    return Buffer.from(result.bytes).toString('utf8').trim().split('\t');
  };
  const [version = '', timezone = 'UTC'] = await text('SELECT version(), timezone()');

  return {
    facts: { version, timezone },
    query(request, signal) {
      const kind = statementKind(request.sql);
      if (kind !== 'read') return pools[kind].use((session) => session.run(request));
      const tag = randomUUID();
      const settings = new Map(request.settings).set('log_comment', tag);
      const run = async (session: EngineSession) => {
        const onAbort = () => void kill(tag).catch(() => {});
        signal.addEventListener('abort', onAbort, { once: true });
        try {
          return await session.run({ ...request, settings });
        } finally {
          signal.removeEventListener('abort', onAbort);
        }
      };
      return pools.read.use(run, signal);
    },
    async insertFile(head, file, request) {
      // Every insert has its own token: said in the statement, the settings need no statement of their own before it.
      const given = [...request.settings].map(([name, value]) => assignment(name, value));
      const own = head.settings.replace(/^SETTINGS\s+/i, '').trim();
      const settings = `SETTINGS ${[...given, ...(own === '' ? [] : [own])].join(', ')}`;
      const sql = `${head.target} FROM INFILE ${quoteText(file)} ${settings} FORMAT ${head.format}`;
      return pools.insert.use((session) => session.run({ ...request, settings: noSettings, sql }));
    },
    bodyPath: () => join(bodies, randomUUID()),
    async idle() {
      await Promise.all(Object.values(pools).map((pool) => pool.idle()));
      await kills;
    },
    async close() {
      for (const pool of Object.values(pools)) pool.close();
      killer.close();
      await drainPending();
    },
  };
}

/** Runs an insert whose data came in one text with its statement. */
export async function insertText(engine: Engine, head: InsertHead, sql: string, request: EngineRequest) {
  const path = engine.bodyPath();
  try {
    await writeFile(path, sql.slice(head.length), { flag: 'wx', mode: 0o600 });
    return await engine.insertFile(head, path, request);
  } finally {
    await unlink(path).catch(() => {});
  }
}
