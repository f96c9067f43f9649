/** Compares the rows of a query with those of the same query in batch over the same events. */
import { withStore } from '../../runtime/testing/with-store.ts';
import { expectedLines, fillOracle } from './oracle/clickhouse.ts';
import { isPattern, patternLines } from './oracle/patterns.ts';
import type { Query } from './queries.ts';
import { differences } from './rows.ts';
import type { StreamOptions } from './run-query.ts';

export async function checkLines(args: {
  query: Query;
  stream: StreamOptions;
  lines: readonly string[];
}): Promise<void> {
  const { query, stream, lines } = args;
  const expected = isPattern(query)
    ? patternLines(stream, query)
    : await withStore(async (store) => {
        await fillOracle(store, stream);
        return expectedLines(store, query);
      });
  const found = differences(lines, expected);
  if (found.length === 0) return;
  const counts = `${lines.length} rows, ${expected.length} are right`;
  throw new Error(`the rows of ${query.name} are wrong (${counts}):\n${found.join('\n')}`);
}
