import { describe, expect, it } from 'vitest';
import { namedFormat, parseInsertHead, statementKind } from './statement.ts';

describe('statementKind', () => {
  it.each([
    ['SELECT 1', 'read'],
    ['  -- why\n /* where */ (with 1 as a select a)', 'read'],
    ['EXPLAIN SELECT 1', 'read'],
    ['INSERT INTO t VALUES (1)', 'insert'],
    ['INSERT INTO t (a) FORMAT Native', 'insert'],
    ['INSERT INTO t SELECT 1', 'command'],
    ['ALTER TABLE t ADD COLUMN a String', 'command'],
    ['OPTIMIZE TABLE t FINAL', 'command'],
  ])('%s: %s', (sql, kind) => expect(statementKind(sql)).toBe(kind));
});

describe('parseInsertHead', () => {
  it('finds where the data begins', () => {
    const sql = 'INSERT INTO `d b`.t (a, `b c`) SETTINGS x = 1, y = \'FORMAT Z\' FORMAT JSONEachRow\n{"a":1}';
    const head = parseInsertHead(sql);
    expect(head).toMatchObject({
      target: 'INSERT INTO `d b`.t (a, `b c`)',
      settings: "SETTINGS x = 1, y = 'FORMAT Z'",
      format: 'JSONEachRow',
    });
    expect(sql.slice(head?.length)).toBe('{"a":1}');
  });

  it('skips comments, and takes data on the same line', () => {
    const sql = '/* batch 7 */ insert into t format JSONEachRow {"a":1}';
    expect(sql.slice(parseInsertHead(sql)?.length)).toBe('{"a":1}');
  });

  it.each([
    'INSERT INTO t VALUES (1)',
    'INSERT INTO t FORMAT Values (1)',
    'INSERT INTO t SELECT 1 FORMAT Null',
    'SELECT 1',
  ])('is not for %s', (sql) => expect(parseInsertHead(sql)).toBeUndefined());

  it('gives up at once on a long list of columns that is not closed', () => {
    expect(parseInsertHead(`INSERT INTO t (${'a'.repeat(10_000)}!`)).toBeUndefined();
  });
});

describe('namedFormat', () => {
  it('is the last one', () => {
    expect(namedFormat("SELECT 'FORMAT CSV' FORMAT JSON SETTINGS max_threads = 1;")).toBe('JSON');
    expect(namedFormat('SELECT 1')).toBeUndefined();
  });
});
