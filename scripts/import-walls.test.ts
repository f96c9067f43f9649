import { describe, expect, it } from 'vitest';
import { checkImports, findImports } from './import-walls.ts';

const check = (path: string, text: string) => checkImports({ path, text });

describe('findImports', () => {
  it('finds every form of import, with its line and whether it is type-only', () => {
    const text = [
      "import { a } from './a.ts';",
      "import type { B } from '../b.ts';",
      "import { type C, type D } from '../../c.ts';",
      "import { type E, f } from 'package/part';",
      "export * from './g.ts';",
      "export type { H } from './h.ts';",
      "const late = async () => import('./late.ts');",
      "type I = import('./i.ts').I;",
      "import './effect.ts';",
    ].join('\n');
    const found = findImports({ path: 'runtime/x/file.ts', text });
    expect(found.map(({ target, isTypeOnly, line }) => [target, isTypeOnly, line])).toEqual([
      ['runtime/x/a.ts', false, 1],
      ['runtime/b.ts', true, 2],
      ['c.ts', true, 3],
      ['package/part', false, 4],
      ['runtime/x/g.ts', false, 5],
      ['runtime/x/h.ts', true, 6],
      ['runtime/x/late.ts', false, 7],
      ['runtime/x/i.ts', true, 8],
      ['runtime/x/effect.ts', false, 9],
    ]);
  });

  it('does not take comments and strings for imports', () => {
    const text =
      "// import x from '../bus/log.ts';\nconst text = `\nimport y from 'chdb';\n`;\n/* import 'z'; */ export { text };";
    expect(findImports({ path: 'a.ts', text })).toEqual([]);
  });
});

describe('the walls', () => {
  const broken: readonly [string, string][] = [
    ['runtime/execution/a.ts', "import { filter } from '../../operators/filter.ts';"],
    ['runtime/cli/a.ts', "import { hl7 } from '../../connectors/hl7-mllp/index.ts';"],
    ['runtime/cli/a.ts', "import { city } from '../../simulator/city.ts';"],
    ['runtime/cli/a.ts', "const all = await import('../../catalogue.ts');"],
    ['operators/a.ts', "import { createBus } from '../runtime/bus/log.ts';"],
    ['operators/a.ts', "import type { Frame } from '../runtime/stream/frame.ts';"],
    ['operators/a.ts', "import { harness } from '../runtime/testing/harness.ts';"],
    ['operators/a.ts', "import { b } from '../connectors/feed-115/b.ts';"],
    ['connectors/feed-115/a.ts', "import { b } from '../hl7-mllp/b.ts';"],
    ['connectors/feed-115/a.ts', "import { clock } from '../../runtime/clock.ts';"],
    ['connectors/feed-115/a.ts', "import { context } from '../testing/source-context.ts';"],
    ['runtime/stream/a.ts', "import { createStore } from '../store/store.ts';"],
    ['runtime/stream/a.ts', "import type { Log } from '../bus/log.ts';"],
    ['runtime/expression/a.ts', "import { parse } from '../topology/parse.ts';"],
    ['runtime/bus/a.ts', "import type { Store } from '../store/store.ts';"],
    ['runtime/store/a.ts', "import { log } from '../bus/log.ts';"],
    ['runtime/store/a.ts', "import { engine } from '../execution/engine.ts';"],
    ['runtime/execution/a.ts', "import { main } from '../cli/main.ts';"],
    ['runtime/execution/a.ts', "import { harness } from '../testing/harness.ts';"],
    ['runtime/execution/a.ts', "import { connect } from '@nats-io/transport-node';"],
    ['connectors/clickhouse/a.ts', "import { createClient } from '@clickhouse/client';"],
    ['runtime/bus/a.ts', "import { Session } from 'chdb';"],
    ['test/whole.test.ts', "export { jetstream } from '@nats-io/jetstream';"],
  ];
  it.each(broken)('%s may not: %s', (path, text) => {
    const problems = check(path, `\n${text}\n`);
    expect(problems).not.toEqual([]);
    expect(problems[0]).toContain(`${path}:2  imports `);
  });

  const kept: readonly [string, string][] = [
    ['operators/a.ts', "import { map } from '../runtime/stream/index.ts';"],
    ['operators/a.ts', "import { b } from './b.ts';"],
    ['operators/a.ts', "import { z } from 'zod';"],
    ['operators/a.test.ts', "import { harness } from '../runtime/testing/harness.ts';"],
    ['connectors/webhook/a.test.ts', "import { systemClock } from '../../runtime/clock.ts';"],
    ['connectors/webhook/a.test.ts', "import { context } from '../testing/source-context.ts';"],
    ['connectors/hl7-mllp/decode/a.ts', "import { b } from '../segments.ts';"],
    ['connectors/nats/a.ts', "import { connect } from '@nats-io/transport-node';"],
    ['runtime/stream/a.ts', "import type { Store } from '../store/store.ts';"],
    ['runtime/stream/a.ts', "import { limits } from '../limits.ts';"],
    ['runtime/expression/a.ts', "import type { Schema } from '../stream/schema.ts';"],
    ['runtime/bus/a.ts', "import { connect } from '@nats-io/transport-node';"],
    ['runtime/store/embedded/a.ts', "import { Session } from 'chdb';"],
    ['runtime/execution/a.ts', "import { log } from '../bus/log.ts';"],
    ['runtime/cli/a.ts', "import { engine } from '../execution/engine.ts';"],
    ['bin/mach.ts', "import { catalogue } from '../catalogue.ts';"],
  ];
  it.each(kept)('%s may: %s', (path, text) => {
    expect(check(path, text)).toEqual([]);
  });
});
