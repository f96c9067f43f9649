/** The embedded engine: pools of sessions on one data folder, and the ways a statement can reach them. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drainPending } from 'chdb';
import { diskRoom, isDiskLow, roomText } from '../../disk-room.ts';
import { embeddedLimits } from '../limits.ts';
import { quoteText } from '../sql.ts';
import { assignment, EngineError, type EngineRequest, type EngineResult, EngineSession } from './engine-session.ts';
import { findFaults, type Healed, healTables } from './heal.ts';
import { createPartGuard, type PartGuardOptions } from './part-guard.ts';
import { createSessionPool } from './session-pool.ts';
import { type InsertHead, mayAttach, needsRoom, type StatementKind, statementKind } from './statement.ts';

export interface EngineFacts {
  readonly version: string;
  readonly timezone: string;
}

export interface Engine {
  readonly facts: EngineFacts;
  /** What the start had to put right. */
  readonly healed: readonly Healed[];
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

export interface EngineOptions {
  readonly directory: string;
  /** Room that is left free on the disk; default: see `diskRoom`. */
  readonly reserveBytes?: number | undefined;
  readonly onBroken: PartGuardOptions['onBroken'];
  /** The disk has become too full to write to, or has room again. */
  onRoom?(change: { readonly low: boolean; readonly text: string }): void;
}

/** Settings that go for every table, those made by others, too. */
const configuration = `<clickhouse><merge_tree>
  <old_parts_lifetime>${embeddedLimits.replacedPartsKeptSeconds}</old_parts_lifetime>
  <min_rows_to_fsync_after_merge>1</min_rows_to_fsync_after_merge>
  <max_suspicious_broken_parts>${embeddedLimits.brokenPartsMax}</max_suspicious_broken_parts>
  <max_suspicious_broken_parts_bytes>${Number.MAX_SAFE_INTEGER}</max_suspicious_broken_parts_bytes>
</merge_tree></clickhouse>
`;

/** Several processes that want the same folder come here before the engine's lock decides: none may read half of what another writes. */
function writeConfiguration(directory: string): string {
  const path = join(directory, 'engine.xml');
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, configuration, { mode: 0o600 });
  renameSync(draft, path);
  return path;
}

/** Throws code 243 when the disk is too full to write to: the engine itself would not notice that a write failed. */
export async function openEngine({ directory, reserveBytes, onBroken, onRoom }: EngineOptions): Promise<Engine> {
  const bodies = join(directory, 'bodies');
  const path = join(directory, 'data');
  const checkRoom = () => {
    const room = diskRoom(directory, reserveBytes);
    if (isDiskLow(room)) throw EngineError.make(243, 'NOT_ENOUGH_SPACE', `The disk is full: ${roomText(room)}`);
  };
  checkRoom();
  mkdirSync(path, { recursive: true });
  const configurationPath = writeConfiguration(directory);
  const faults = findFaults(path);
  const options = {
    path,
    engineArguments: [
      `--config-file=${configurationPath}`,
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
  const keeper = open();
  let kept: Promise<unknown> = Promise.resolve();
  /** One at a time, as any session serves. */
  const keep = (sql: string, format: string) => {
    const done = kept.then(() => keeper.run({ ...base, sql, format }));
    kept = done.catch(() => {});
    return done;
  };
  const kill = (tag: string) =>
    keep(`KILL QUERY WHERE Settings['log_comment'] = ${quoteText(tag)} ASYNC`, 'Null').catch(() => {});
  const run = async (sql: string) => {
    const { bytes } = await keep(sql, 'TabSeparated');
    const rows = Buffer.from(bytes).toString('utf8').split('\n').slice(0, -1);
    return rows.map((row) => row.split('\t'));
  };
  const healed = await healTables({ faults, drafts: bodies, run });
  const guard = createPartGuard({ data: path, onBroken });
  const stopWatching = watchRoom();

  /** While the disk is too full merges rest, and parts that they make are looked at soon. */
  function watchRoom(): () => void {
    let low = false;
    const timer = setInterval(() => {
      guard.look();
      const room = diskRoom(directory, reserveBytes);
      if (isDiskLow(room) === low) return;
      low = !low;
      void keep(low ? 'SYSTEM STOP MERGES' : 'SYSTEM START MERGES', 'Null').catch(() => {});
      onRoom?.({ low, text: roomText(room) });
    }, embeddedLimits.partCheckEveryMs);
    return () => clearInterval(timer);
  }

  /** Runs what writes rows: answered only when they are whole on the disk. */
  async function writing<T>(run: () => Promise<T>): Promise<T> {
    checkRoom();
    let result: T;
    try {
      result = await run();
    } catch (error) {
      await guard.afterFailure();
      throw error;
    }
    await guard.afterInsert();
    return result;
  }

  const text = async (sql: string) => {
    const result = await pools.read.use((session) => session.run({ ...base, sql, format: 'TabSeparated' }));
    return Buffer.from(result.bytes).toString('utf8').trim().split('\t');
  };
  const [version = '', timezone = 'UTC'] = await text('SELECT version(), timezone()');

  return {
    facts: { version, timezone },
    healed,
    query(request, signal) {
      const kind = statementKind(request.sql);
      if (kind !== 'read') {
        const change = () => {
          if (mayAttach(request.sql)) guard.beforeAttach();
          return pools[kind].use((session) => session.run(request));
        };
        return needsRoom(request.sql) ? writing(change) : change();
      }
      const tag = randomUUID();
      const settings = new Map(request.settings).set('log_comment', tag);
      const run = async (session: EngineSession) => {
        const onAbort = () => void kill(tag);
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
      return writing(() => pools.insert.use((session) => session.run({ ...request, settings: noSettings, sql })));
    },
    bodyPath: () => join(bodies, randomUUID()),
    async idle() {
      await Promise.all(Object.values(pools).map((pool) => pool.idle()));
      await kept;
    },
    async close() {
      stopWatching();
      guard.look();
      for (const pool of Object.values(pools)) pool.close();
      keeper.close();
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
