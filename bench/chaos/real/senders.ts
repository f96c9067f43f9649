/**
 * The senders: three hospitals over pipelined MLLP and one that never sends again, two 115 centres over gRPC, and bed files. Open loop: each
 * follows its clock whatever the engine answers, so an outage meets a backlog afterwards. Made-up people only.
 */
import { existsSync } from 'node:fs';
import { copyFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectFeed, type FeedClient } from '../../../connectors/feed-115/client.ts';
import { type Hl7Client, hl7Client } from '../../../connectors/hl7-mllp/client.ts';
import type { Random } from '../../../runtime/random.ts';
import type { Oracle, Sent } from './oracle.ts';

export interface SenderTargets {
  readonly hl7Port: number;
  readonly feedPort: number;
  readonly inbox: string;
}

export interface Senders {
  /** Ends the stream of events; what is on its way goes on being sent until it is answered. */
  pause(): void;
  resume(): void;
  /** One event of every origin, which closes the windows before it. Returns its time. */
  closeWindows(): number;
  /** Everything has an answer. */
  readonly settled: boolean;
  readonly counts: {
    /** HL7 messages that were sent more than once before their answer. */
    hl7Resent: number;
    /** Streams of the 115 centres that broke and were opened again. */
    feedReconnects: number;
    /** Same file dropped a second time. */
    filesRepeated: number;
  };
  /** What no sender may ever see: an acknowledgement taken back, a right message refused. */
  readonly violations: string[];
  close(): Promise<void>;
}

const tickMs = 50;
const keys = ['BV-1', 'BV-2', 'BV-3'];
/** One message a time and never again: what happens to it after a break is unknown. */
const impatientKey = 'BV-9';
export const poisonHospital = 'BV-X';
const centres = ['115-A', '115-B'];
/** Events a second of each origin, and of the impatient one. */
const rates = { hl7: 10, impatient: 4, feed: 15 };
const fileEveryMs = 900;
const rowsPerFile = 6;
const repeatFileEvery = 7;
/** One event in so many is older than anything that still waits for it. */
const lateEvery = 120;
const lateMs = 60_000;

export async function startSenders(args: {
  oracle: Oracle;
  random: Random;
  targets: SenderTargets;
  /** Stands in the names of the centres: one that was forgotten by a wiped log is another centre. */
  centreSuffix?: string;
}): Promise<Senders> {
  const { oracle, random, targets } = args;
  const counts = { hl7Resent: 0, feedReconnects: 0, filesRepeated: 0 };
  const violations: string[] = [];
  const hospitals = new Map<string, Hl7Client>(
    keys.map((key) => [key, hl7Client({ port: targets.hl7Port, attempts: 1e6, answerTimeoutMs: 3_000, inFlight: 64 })]),
  );
  const feeds = await Promise.all(centres.map((name) => openFeed(`${name}${args.centreSuffix ?? ''}`)));
  const files = new Map<string, Sent[]>();
  const writing = new Set<Promise<void>>();
  let fileNumber = 0;
  let paused = false;
  let eventNumber = 0;

  async function openFeed(centre: string) {
    const queue: Sent[] = [];
    const client: FeedClient = await connectFeed({
      address: `127.0.0.1:${targets.feedPort}`,
      centre,
      reconnectDelayMaxMs: 1_000,
      onAcknowledgement: settle,
      onDisconnect: () => {
        counts.feedReconnects++;
        settle();
      },
    });
    /** The first `sent - kept` have been acknowledged, by a position or by the place to go on from. */
    function settle(): void {
      if (violations.length > 0) return;
      while (queue.length > client.kept) (queue.shift() as Sent).state = 'owed';
    }
    const send = (one: Sent) => {
      queue.push(one);
      const call = {
        call_id: one.id,
        received_ms: one.at,
        station: one.key,
        complaint_code: one.pair,
        address: '12 Đường Thử Nghiệm',
      };
      client.send({ call }).catch((error: Error) => {
        violations.push(`${centre}: ${error.message}`);
        for (const lost of queue.splice(0)) lost.state = 'unknown';
      });
    };
    return { centre, client, queue, send, settle };
  }

  function sendHl7(client: Hl7Client, one: Sent): void {
    client.send(hl7Message(one)).then(
      (answer) => {
        if (answer.attempts > 1) counts.hl7Resent++;
        if (answer.code === 'AA') one.state = 'owed';
        else if (answer.code === 'AE') one.state = 'unknown';
        else {
          one.state = 'refused';
          violations.push(`${one.id} was answered ${answer.code} ${answer.text}`);
        }
      },
      () => {
        one.state = 'unknown';
      },
    );
  }

  function sendImpatiently(one: Sent): void {
    const client = hl7Client({ port: targets.hl7Port, attempts: 1, answerTimeoutMs: 1_000 });
    sendHl7(client, one);
    void client.finish().catch(() => undefined);
  }

  async function writeFile_(rows: readonly Sent[], repeat: boolean): Promise<void> {
    const name = `beds-${fileNumber++}.csv`;
    files.set(name, [...rows]);
    const text = [
      'id,hospital,pair,at,beds',
      ...rows.map(({ id, key, pair, at }) => `${id},${key},${pair},${new Date(at).toISOString()},${at % 50}`),
      '',
    ].join('\n');
    const part = join(targets.inbox, `.${name}.part`);
    await writeFile(part, text);
    if (repeat) {
      counts.filesRepeated++;
      await copyFile(part, join(targets.inbox, `again-${name}`));
    }
    await rename(part, join(targets.inbox, name));
  }

  function dropFile(rows: readonly Sent[], repeat: boolean): void {
    const written = writeFile_(rows, repeat)
      .catch((error: Error) => void violations.push(`file: ${error.message}`))
      .finally(() => writing.delete(written));
    writing.add(written);
  }

  function settleFiles(): void {
    for (const [name, rows] of files) {
      if (!existsSync(join(targets.inbox, 'processed', name))) continue;
      for (const one of rows) one.state = 'owed';
      files.delete(name);
    }
  }

  /** A little before now, as measured things are; now and then far before. */
  function timeOf(): number {
    const now = Date.now();
    return ++eventNumber % lateEvery === 0 ? now - lateMs : now - random.int(0, 1_500);
  }

  /** Pairs: a visit and a call of about the same time that belong to one case. */
  const pairOf = (at: number) => `case-${Math.floor(at / 400)}`;

  function sendSome(shareOfSecond: number): void {
    for (const [key, client] of hospitals) {
      repeat(rates.hl7 * shareOfSecond, () => {
        const at = timeOf();
        sendHl7(client, oracle.next({ source: 'visits', key, pair: pairOf(at), at }));
      });
    }
    repeat(rates.impatient * shareOfSecond, () => {
      sendImpatiently(oracle.next({ source: 'visits', key: impatientKey, at: timeOf() }));
    });
    for (const feed of feeds) {
      repeat(rates.feed * shareOfSecond, () => {
        const at = timeOf();
        feed.send(oracle.next({ source: 'calls', key: random.pick(keys), pair: pairOf(at), at }));
      });
    }
  }

  /** `mean` times on average. */
  function repeat(mean: number, run: () => void): void {
    let times = Math.floor(mean) + (random.chance(mean % 1) ? 1 : 0);
    while (times-- > 0) run();
  }

  let sentUntil = Date.now();
  let fileAt = Date.now();
  const timer = setInterval(() => {
    const now = Date.now();
    if (!paused) sendSome(Math.min(now - sentUntil, 1_000) / 1_000);
    sentUntil = now;
    if (!paused && now >= fileAt) {
      fileAt = now + fileEveryMs;
      const rows = Array.from({ length: rowsPerFile }, (_, index) =>
        oracle.next({ source: 'drops', key: keys[index % keys.length] as string, at: timeOf() }),
      );
      dropFile(rows, fileNumber % repeatFileEvery === 0);
    }
    for (const feed of feeds) feed.settle();
    settleFiles();
  }, tickMs);

  return {
    counts,
    violations,
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
    },
    closeWindows() {
      const at = Date.now();
      for (const [key, client] of hospitals) sendHl7(client, oracle.next({ source: 'visits', key, at }));
      // Poison that could be read after all is an origin too.
      for (const key of [impatientKey, poisonHospital]) {
        const last = hl7Client({ port: targets.hl7Port, attempts: 1e6, answerTimeoutMs: 3_000 });
        sendHl7(last, oracle.next({ source: 'visits', key, at }));
        void last.finish().catch(() => undefined);
      }
      for (const feed of feeds) feed.send(oracle.next({ source: 'calls', key: keys[0] as string, at }));
      dropFile(
        keys.map((key) => oracle.next({ source: 'drops', key, at })),
        false,
      );
      return at;
    },
    get settled() {
      return writing.size === 0 && oracle.count('waiting') === 0;
    },
    async close() {
      clearInterval(timer);
      for (const client of hospitals.values()) client.close();
      await Promise.all(feeds.map(({ client }) => client.close()));
      await Promise.all(writing);
    },
  };
}

function hl7Message({ id, key, pair, at }: Sent): string {
  const time = hl7Time(at);
  return [
    `MSH|^~\\&|HIS|${key}|MACH|115|${time}||ADT^A04|${id}|P|2.5.1||||||UNICODE UTF-8`,
    `EVN|A04|${time}||||${time}`,
    `PID|1||BN-${id}^^^${key}^MR||Nguyễn^Thử^Văn||19800101|M`,
    `PV1|1|E|ED^R1^B1^BV||||||||||||||||${pair}`,
    '',
  ].join('\r');
}

function hl7Time(at: number): string {
  const text = new Date(at + 7 * 3_600_000).toISOString();
  return `${text.slice(0, 19).replace(/[-T:]/g, '')}${text.slice(19, 23)}+0700`;
}
