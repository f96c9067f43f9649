/** One chDB session as a ClickHouse server would use it for many clients: settings, parameters and database of one request never reach the next. */
import { Session } from 'chdb';
import { messageOf } from '../../errors.ts';
import { isName, quoteName, quoteText } from '../sql.ts';

export interface EngineRequest {
  readonly sql: string;
  readonly format: string;
  readonly database: string;
  readonly settings: ReadonlyMap<string, string>;
  readonly parameters: ReadonlyMap<string, string>;
}

export interface EngineResult {
  readonly bytes: Uint8Array;
  readonly rowsRead: number;
  readonly bytesRead: number;
  readonly elapsedSeconds: number;
}

/** An error in ClickHouse's own form: `Code: 60. DB::Exception: ... (UNKNOWN_TABLE)`. */
export class EngineError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = 'EngineError';
    this.code = code;
  }

  static make(code: number, type: string, text: string): EngineError {
    return new EngineError(code, `Code: ${code}. DB::Exception: ${text}. (${type})`);
  }

  static from(error: unknown): EngineError {
    const text = messageOf(error);
    // The body of an insert is written by this process, which notices what the engine does not.
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
      return EngineError.make(243, 'NOT_ENOUGH_SPACE', `The disk is full: ${text}`);
    }
    const code = Number(/Code: (\d+)/.exec(text)?.[1] ?? 1001);
    return new EngineError(
      code,
      text.startsWith('Code: ') ? text : `Code: ${code}. DB::Exception: ${text}. (STD_EXCEPTION)`,
    );
  }
}

/** A setting as SET and SETTINGS take it. Throws code 115 when the name cannot be one. */
export function assignment(name: string, value: string): string {
  if (!isName(name)) throw EngineError.make(115, 'UNKNOWN_SETTING', `Unknown setting ${quoteText(name)}`);
  return `${name} = ${quoteText(value)}`;
}

/** Settings that a session cannot take back once they are set: the session is thrown away afterwards. */
const stickySettings = new Set(['readonly', 'allow_ddl']);
/** No value of any type parses with a raw tab in it, so a parameter left over from another request can never be used by mistake. */
const unsetParameter = 'not\tset';

export interface EngineSessionOptions {
  readonly path: string;
  readonly engineArguments: readonly string[];
}

export class EngineSession {
  private session: Session;
  private settings = new Map<string, string>();
  private parameters = new Map<string, string>();
  private database = 'default';
  private readonly options: EngineSessionOptions;

  constructor(options: EngineSessionOptions) {
    this.options = options;
    this.session = this.open();
  }

  /** Runs one query with exactly the settings, parameters and database given. Rejects with an `EngineError`. */
  async run(request: EngineRequest): Promise<EngineResult> {
    await this.prepare(request);
    const sticky = [...request.settings.keys()].some((name) => stickySettings.has(name));
    try {
      const result = await this.session.queryAsync(request.sql, { format: request.format });
      return {
        bytes: result.bytes(),
        rowsRead: result.rowsRead,
        bytesRead: result.bytesRead,
        elapsedSeconds: result.elapsed,
      };
    } catch (error) {
      await this.clearOutput();
      throw EngineError.from(error);
    } finally {
      if (sticky) this.reopen();
    }
  }

  close(): void {
    this.session.close();
  }

  private open(): Session {
    return new Session(this.options.path, { connectionArgs: [...this.options.engineArguments] });
  }

  private reopen(): void {
    // The new one first: the last connection of a process would take the engine with it.
    const old = this.session;
    this.session = this.open();
    this.settings = new Map();
    this.parameters = new Map();
    this.database = 'default';
    old.close();
  }

  /** A query that failed halfway leaves what it had written in the session's output, and the next result would begin with it. */
  private async clearOutput(): Promise<void> {
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        if ((await this.session.queryAsync("SELECT 'clear'", { format: 'TabSeparated' })).text() === 'clear\n') return;
      } catch {
        // Cleared by opening another session below.
      }
    }
    this.reopen();
  }

  private async prepare(request: EngineRequest): Promise<void> {
    const assignments: string[] = [];
    for (const name of this.settings.keys()) if (!request.settings.has(name)) assignments.push(`${name} = DEFAULT`);
    for (const [name, value] of request.settings) {
      if (this.settings.get(name) !== value) assignments.push(assignment(name, value));
    }
    const parameters = new Map(request.parameters);
    for (const name of this.parameters.keys()) if (!parameters.has(name)) parameters.set(name, unsetParameter);
    for (const [name, value] of parameters) {
      if (!isName(name)) throw EngineError.make(457, 'BAD_QUERY_PARAMETER', `Bad parameter name ${quoteText(name)}`);
      if (this.parameters.get(name) !== value) assignments.push(`param_${name} = ${quoteText(value)}`);
    }
    try {
      if (assignments.length > 0) await this.session.queryAsync(`SET ${assignments.join(', ')}`);
      this.settings = new Map(request.settings);
      this.parameters = parameters;
      if (request.database !== this.database) await this.session.queryAsync(`USE ${quoteName(request.database)}`);
      this.database = request.database;
    } catch (error) {
      this.reopen();
      throw EngineError.from(error);
    }
  }
}
