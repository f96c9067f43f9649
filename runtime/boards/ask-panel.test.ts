/** What a browser may ask, against a store that only takes note. */
import { describe, expect, it } from 'vitest';
import { askPanel, askVariables, type Question, type Read } from './ask-panel.ts';
import { boardSchema, withoutQueries } from './board.ts';
import { bucketMs } from './interval.ts';
import { makeTurns } from './turns.ts';

const board = boardSchema.parse({
  uid: 'b',
  title: 'Bảng',
  schemaVersion: 42,
  templating: {
    list: [
      { name: 'centre', type: 'custom', query: 'Một : one, two' },
      {
        name: 'hospital',
        type: 'query',
        multi: true,
        includeAll: true,
        query: { rawSql: "SELECT id, name FROM h WHERE c = '$centre'" },
        current: { value: '$__all' },
      },
      { name: 'words', type: 'textbox', query: 'x' },
    ],
  },
  panels: [
    {
      id: 1,
      type: 'row',
      gridPos: { x: 0, y: 0, w: 24, h: 1 },
      panels: [
        {
          id: 2,
          type: 'table',
          gridPos: { x: 0, y: 1, w: 24, h: 8 },
          targets: [
            {
              refId: 'A',
              format: 1,
              rawSql:
                'SELECT 1 FROM t WHERE $__conditionalAll(h IN (${hospital:singlequote}), $hospital) AND w = ${words:sqlstring} AND c = $__interval_ms',
            },
            { refId: 'B', rawSql: 'SELECT hidden', hide: true },
          ],
        },
      ],
    },
    {
      id: 3,
      type: 'stat',
      gridPos: { x: 0, y: 9, w: 4, h: 4 },
      targets: [{ refId: 'A', rawSql: "SELECT '${words}'" }],
    },
  ],
});

const asked: string[] = [];
const read: Read = async (sql) => {
  asked.push(sql);
  if (!sql.includes('FROM h')) return { columns: [], rows: [] };
  const columns = [
    { name: 'id', type: 'String' },
    { name: 'name', type: 'String' },
  ];
  return {
    columns,
    rows: [
      ['H1', 'An Bình'],
      ["H'2", "O'Thử"],
    ],
  };
};
const question: Question = { board, from: 0, to: 3_600_000, chosen: {}, points: 60 };
const ask = async (chosen: Question['chosen'], panel = 2) => {
  asked.length = 0;
  await askPanel({ ...question, chosen }, panel, read);
  return asked.at(-1);
};

describe('a question of a panel', () => {
  it('is the query of the board with its variables, quoted', async () => {
    expect(await ask({})).toBe("SELECT 1 FROM t WHERE 1=1 AND w = 'x' AND c = 60000");
    expect(await ask({ hospital: ["H'2"], words: ["a' OR 1=1 --\\"] })).toBe(
      "SELECT 1 FROM t WHERE h IN ('H\\'2') AND w = 'a\\' OR 1=1 --\\\\' AND c = 60000",
    );
    expect(asked[0]).toBe("SELECT id, name FROM h WHERE c = 'one'");
  });

  it.each([
    [{ hospital: ["H1') OR 1=1 --"] }, 'is no option of variable hospital'],
    [{ centre: ["one' UNION SELECT 1"] }, 'is no option of variable centre'],
    [{ centre: ['one', 'two'] }, 'takes one value'],
    [{ centre: ['$__all'] }, 'has no "All"'],
    [{ words: ['x'.repeat(201)] }, 'too long'],
  ])('refuses %j: a browser brings no text for a query', async (chosen, reason) => {
    await expect(ask(chosen)).rejects.toMatchObject({ code: 'MACH3304', message: expect.stringContaining(reason) });
  });

  it('refuses a typed text that would stand in a query unquoted', async () => {
    await expect(ask({}, 3)).rejects.toMatchObject({ code: 'MACH3303' });
  });

  it('refuses panels that are not there, ranges that end before they begin or are too long', async () => {
    await expect(ask({}, 9)).rejects.toMatchObject({ code: 'MACH3302' });
    const range = (from: number, to: number) => askPanel({ ...question, from, to }, 2, read);
    await expect(range(2, 1)).rejects.toMatchObject({ code: 'MACH3304' });
    await expect(range(0, 500 * 86_400_000)).rejects.toThrow('timeRangeMs');
  });

  it('tells the options of variables, each by those before it', async () => {
    expect(await askVariables(question, read)).toEqual([
      {
        name: 'centre',
        options: [
          { text: 'Một', value: 'one' },
          { text: 'two', value: 'two' },
        ],
        values: ['one'],
        isAll: false,
      },
      {
        name: 'hospital',
        options: [
          { text: 'An Bình', value: 'H1' },
          { text: "O'Thử", value: "H'2" },
        ],
        values: ['H1', "H'2"],
        isAll: true,
      },
      { name: 'words', options: [], values: ['x'], isAll: false },
    ]);
  });

  it('gives the browser no query', () => {
    expect(JSON.stringify(withoutQueries(board))).not.toContain('SELECT');
  });

  it('has buckets as Grafana chooses them', () => {
    expect([
      bucketMs(3_600_000, 60),
      bucketMs(6 * 3_600_000, 500),
      bucketMs(60_000, 1_000),
      bucketMs(3_600_000, 60, '>5m'),
    ]).toEqual([60_000, 30_000, 1_000, 300_000]);
  });
});

describe('turns', () => {
  it('lets so many work at once, the others in order, and refuses more than may wait', async () => {
    const turns = makeTurns({ atOnceMax: 2, waitingMax: 2 });
    const done: number[] = [];
    const ends: (() => void)[] = [];
    const work = (number: number) =>
      turns.take(
        () =>
          new Promise<void>((resolve) =>
            ends.push(() => {
              done.push(number);
              resolve();
            }),
          ),
      );
    const all = [work(1), work(2), work(3), work(4)];
    await expect(work(5)).rejects.toMatchObject({ code: 'MACH3305' });
    for (let index = 0; index < 4; index++) {
      await expect.poll(() => ends.length).toBeGreaterThan(index);
      expect(ends.length - index).toBeLessThanOrEqual(2);
      ends[index]?.();
    }
    await Promise.all(all);
    expect(done).toEqual([1, 2, 3, 4]);
    await expect(turns.take(async () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await turns.take(async () => 'yes')).toBe('yes');
  });
});
