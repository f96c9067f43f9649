/**
 * Writes a checkpoint as this version makes it, and what came of it, to `runtime/execution/fixtures/checkpoints/NAME.*`:
 * `npm run checkpoint-fixture -- format-2`. Files of earlier versions are never made anew.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encodeCheckpoint } from '../runtime/execution/checkpoint.ts';
import { fingerprintsOf } from '../runtime/execution/fingerprint.ts';
import { nodeIdentitiesOf } from '../runtime/execution/upgrade/state-identity.ts';
import {
  type FixtureStory,
  fixtureFolder,
  fixtureMachine,
  fixtureMessages,
  fixtureTopology,
  loadFixture,
  messagesBefore,
  plainRows,
} from '../test/checkpoint-fixture.ts';

const [name] = process.argv.slice(2);
if (!name || !/^format-\d+(-[a-z0-9-]+)?$/.test(name)) throw new Error('give a name: format-2');
const file = join(fixtureFolder, `${name}.checkpoint`);
if (existsSync(file)) throw new Error(`${file} is there already; what earlier versions wrote is never made anew`);

const topology = loadFixture(fixtureTopology);
const { machine, rows, feed } = fixtureMachine(topology);
const messages = fixtureMessages();
feed(messages.slice(0, messagesBefore), 1);
const encoded = encodeCheckpoint({
  head: {
    topology: topology.name,
    hash: topology.hash,
    fingerprints: fingerprintsOf(topology),
    nodes: nodeIdentitiesOf(topology),
    sequence: machine.sequence,
    node: 'fixture',
  },
  snapshot: machine.snapshot(),
});
const rowsBefore = rows.length;
feed(messages.slice(messagesBefore), messagesBefore + 1);
machine.finish();
const story: FixtureStory = {
  topology: fixtureTopology,
  sequence: messagesBefore,
  messages: messages.slice(messagesBefore),
  rows: plainRows(rows.slice(rowsBefore)),
};
mkdirSync(fixtureFolder, { recursive: true });
writeFileSync(file, encoded);
writeFileSync(join(fixtureFolder, `${name}.json.gz`), gzipSync(JSON.stringify(story)));
console.info(`${file}: ${encoded.length} bytes, ${story.rows.length} rows after it`);
