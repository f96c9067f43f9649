import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { cityBox } from './hospitals.ts';
import {
  bytesOf,
  City,
  type CityEvent,
  cityEvents,
  type Hl7CityEvent,
  hospitalList,
  type ScenarioName,
  scenarioNames,
  type TruthRow,
  truthOf,
} from './index.ts';
import { readTruth } from './naive-reader.ts';

const hourMs = 3_600_000;
/** A Monday. */
const start = Date.parse('2026-03-02T07:00:00+07:00');

interface Played {
  readonly events: readonly CityEvent[];
  readonly hl7: readonly Hl7CityEvent[];
  readonly truth: readonly TruthRow[];
}

const played = new Map<string, Played>();

function play(scenario: ScenarioName, seed = 7, hours = 4): Played {
  const key = `${scenario} ${seed} ${hours}`;
  const known = played.get(key);
  if (known) return known;
  const city = new City({ seed, scenario, start });
  const end = start + hours * hourMs;
  const events: CityEvent[] = [];
  for (let event = city.next(end); event; event = city.next(end)) events.push(event);
  events.push(...city.finish(end));
  const made = { events, hl7: events.filter((event) => event.kind === 'hl7'), truth: city.truth };
  played.set(key, made);
  return made;
}

function fingerprint(events: readonly CityEvent[]): string {
  const hash = createHash('sha256');
  for (const event of events) hash.update(JSON.stringify(event));
  return hash.digest('hex');
}

const field = (text: string, segment: string, index: number) =>
  text
    .split('\r')
    .find((line) => line.startsWith(segment))
    ?.split('|')[index] ?? '';

describe('the city is repeatable', () => {
  it('says the same, byte by byte, for the same seed, and something else for another', () => {
    const options = { seed: 3, start, durationMs: hourMs };
    const first = fingerprint([...cityEvents(options)]);
    expect(fingerprint([...cityEvents(options)])).toBe(first);
    expect(fingerprint([...cityEvents({ ...options, seed: 4 })])).not.toBe(first);
  });

  it('begins a longer run like a shorter one', () => {
    const firstHour = (events: Iterable<CityEvent>) => [...events].filter(({ at }) => at < start + hourMs);
    const short = firstHour(cityEvents({ seed: 3, start, durationMs: hourMs }));
    const long = firstHour(cityEvents({ seed: 3, start, durationMs: 2 * hourMs }));
    expect(fingerprint(long)).toBe(fingerprint(short));
  });

  it('sends in order of time, none before the start and none after the end', () => {
    const { events } = play('ordinary');
    const times = events.map(({ at }) => at);
    expect(times).toEqual([...times].sort((left, right) => left - right));
    expect(times[0]).toBeGreaterThanOrEqual(start);
    expect(times.at(-1)).toBe(start + 4 * hourMs);
  });
});

describe('the truth can be told from the messages', () => {
  const columns = (row: TruthRow) => {
    const { ambulances_on_the_way: _, ...rest } = row;
    return rest;
  };
  for (const scenario of scenarioNames) {
    for (const seed of [7, 8]) {
      it(`${scenario}, seed ${seed}: census, boarding, waiting, arrivals and longest waits, every minute`, () => {
        const { hl7, truth } = play(scenario, seed);
        const hospitals = hospitalList(8).map(({ id }) => id);
        const read = readTruth(
          hl7.map(({ text }) => text),
          { hospitals, from: start, to: start + 4 * hourMs },
        );
        expect(truth).toHaveLength(8 * 240);
        expect(truth.map(columns)).toEqual(read);
      });
    }
  }

  it('holds when the end is not on a whole minute', () => {
    const options = { seed: 5, start, durationMs: 47 * 60_000 + 13_000, hospitals: 3 };
    const texts = [...cityEvents(options)].flatMap((event) => (event.kind === 'hl7' ? [event.text] : []));
    const truth = truthOf(options);
    const read = readTruth(texts, { hospitals: ['H1', 'H2', 'H3'], from: start, to: start + options.durationMs });
    expect(truth).toHaveLength(3 * 48);
    expect(truth.map(columns)).toEqual(read);
  });

  it('tells the ambulances on the way in the 115 feed', () => {
    const { events, truth } = play('ordinary');
    const runs = new Map<string, { hospital: string; left: number; arrived: number }>();
    for (const event of events) {
      const unit = event.kind === 'feed' ? event.item.unit : undefined;
      if (!unit?.hospital || !unit.left_scene_ms) continue;
      const arrived = unit.arrived_destination_ms ?? Number.POSITIVE_INFINITY;
      const known = runs.get(unit.call_id ?? '');
      const run = { hospital: unit.hospital, left: unit.left_scene_ms, arrived };
      runs.set(unit.call_id ?? '', known ? { ...run, arrived: Math.min(known.arrived, arrived) } : run);
    }
    for (const { hospital, minute, ambulances_on_the_way } of truth) {
      const count = [...runs.values()].filter(
        (run) => run.hospital === hospital && run.left <= minute && run.arrived > minute,
      ).length;
      expect({ hospital, minute, count }).toEqual({ hospital, minute, count: ambulances_on_the_way });
    }
  });
});

describe('what goes wrong really occurs', () => {
  const { hl7, events } = play('ordinary', 7, 24);
  const types = new Set(hl7.map(({ type }) => type));
  const noted = (note: string) => hl7.filter((event) => event.note === note);

  it('all kinds of messages: admissions, transfers, corrections, cancellations, merges', () => {
    for (const trigger of ['A01', 'A02', 'A03', 'A04', 'A06', 'A07', 'A08', 'A11', 'A12', 'A13', 'A14', 'A27', 'A40']) {
      expect(types).toContain(`ADT_${trigger}`);
    }
    expect(types).toContain('ORU_R01');
  });

  it('duplicates are word by word what was said before', () => {
    const firsts = new Map(hl7.filter(({ note }) => note !== 'duplicate').map((event) => [event.id, event.text]));
    expect(noted('duplicate').length).toBeGreaterThan(30);
    for (const { id, text } of noted('duplicate')) expect(firsts.get(id)).toBe(text);
  });

  it('broken messages are truncated, of a wrong encoding or of an unknown type, and each is repaired', () => {
    const broken = noted('broken');
    expect(broken.length).toBeGreaterThan(30);
    expect(broken.some(({ text }) => !text.includes('\rPV1'))).toBe(true);
    expect(broken.some(({ type }) => type === 'ADX_Z99')).toBe(true);
    const wrong = broken.filter(({ encoding }) => encoding === 'windows-1258');
    expect(wrong.length).toBeGreaterThan(3);
    const decoder = new TextDecoder('utf-8', { fatal: true });
    for (const event of wrong) expect(() => decoder.decode(bytesOf(event))).toThrow();
    // Those broken shortly before the start are repaired after it.
    expect(noted('repaired').length).toBeGreaterThanOrEqual(broken.length);
  });

  it('some come late, some overtake others, some are of no known type', () => {
    expect(noted('late').length).toBeGreaterThan(50);
    expect(noted('foreign').length).toBeGreaterThan(10);
    const made = hl7.filter(({ hospital }) => hospital === 'H1').map(({ text }) => field(text, 'MSH', 6));
    expect(made.some((time, index) => index > 0 && time < (made[index - 1] ?? ''))).toBe(true);
  });

  it('ids are unique to their texts', () => {
    const texts = new Map<string, string>();
    for (const { id, text } of hl7) {
      expect(texts.get(id) ?? text).toBe(text);
      texts.set(id, text);
    }
  });

  it('bed files come every quarter of an hour from every hospital, some twice, some with a bad row', () => {
    const files = events.filter((event) => event.kind === 'bed-file');
    expect(files.filter(({ note }) => note !== 'duplicate')).toHaveLength(8 * 96);
    expect(new Set(files.map(({ name }) => name)).size).toBe(files.length);
    expect(new Set(files.map(({ note }) => note))).toEqual(new Set(['plain', 'duplicate', 'bad-row']));
  });
});

describe('the rhythm', () => {
  it('has few arrivals before dawn, many in the morning, and more on Monday than on Sunday', () => {
    const truth = truthOf({ seed: 11, start: Date.parse('2026-03-01T00:00:00+07:00'), durationMs: 48 * hourMs });
    const arrivals = (fromHour: number, toHour: number) =>
      truth
        .filter(({ minute }) => {
          const hour = (minute - Date.parse('2026-03-01T00:00:00+07:00')) / hourMs;
          return hour >= fromHour && hour < toHour;
        })
        .reduce((sum, row) => sum + row.arrivals, 0);
    expect(arrivals(9, 12) / arrivals(2, 5)).toBeGreaterThan(2.5);
    expect(arrivals(24, 48)).toBeGreaterThan(arrivals(0, 24));
    const wanted = hospitalList(8).reduce((sum, { edVisitsPerDay }) => sum + edVisitsPerDay, 0);
    expect(arrivals(24, 48) / wanted).toBeGreaterThan(0.9);
    expect(arrivals(24, 48) / wanted).toBeLessThan(1.35);
  });

  it('keeps departments full but not forever fuller, with some boarding', () => {
    const truth = truthOf({ seed: 12, start, durationMs: 48 * hourMs });
    const mean = (rows: readonly TruthRow[], of: (row: TruthRow) => number) =>
      rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
    const day = (index: number) => truth.filter(({ minute }) => Math.floor((minute - start) / (24 * hourMs)) === index);
    expect(mean(day(1), ({ census }) => census)).toBeLessThan(1.6 * mean(day(0), ({ census }) => census));
    expect(mean(truth, ({ census }) => census)).toBeGreaterThan(12);
    expect(mean(truth, ({ boarding }) => boarding)).toBeGreaterThan(0.8);
    expect(mean(truth, ({ boarding }) => boarding)).toBeLessThan(15);
  });
});

describe('scenarios', () => {
  const arrivalsOf = (truth: readonly TruthRow[], [from, to]: [number, number], hospital?: string) =>
    truth
      .filter((row) => !hospital || row.hospital === hospital)
      .filter(({ minute }) => minute >= start + from * 60_000 && minute < start + to * 60_000)
      .reduce((sum, row) => sum + row.arrivals, 0);

  it('surge: about three times the arrivals for three hours', () => {
    const ratio = arrivalsOf(play('surge').truth, [10, 190]) / arrivalsOf(play('ordinary').truth, [10, 190]);
    expect(ratio).toBeGreaterThan(2.3);
    expect(ratio).toBeLessThan(3.6);
  });

  it('mass casualty: dozens at the second hospital within 20 minutes, and ambulances for the others', () => {
    const { truth, events } = play('mass-casualty');
    const usual = arrivalsOf(play('ordinary').truth, [10, 31], 'H2');
    expect(arrivalsOf(truth, [10, 31], 'H2') - usual).toBeGreaterThan(28);
    const calls = (list: readonly CityEvent[]) =>
      new Set(list.flatMap((event) => (event.kind === 'feed' && event.item.call ? [event.item.call.call_id] : [])))
        .size;
    expect(calls(events) - calls(play('ordinary').events)).toBe(20);
  });

  it('silent feed: nothing from the first hospital for 25 minutes, then all of it, and the same truth', () => {
    const { hl7, truth } = play('silent-feed');
    const from = start + 10 * 60_000;
    const to = start + 35 * 60_000;
    const during = hl7.filter(({ at }) => at >= from && at < to);
    expect(during.filter(({ hospital }) => hospital === 'H1')).toHaveLength(0);
    expect(during.filter(({ hospital }) => hospital === 'H2').length).toBeGreaterThan(5);
    const after = hl7.filter(({ at, hospital }) => hospital === 'H1' && at >= to && at <= to + 2_000);
    expect(after.filter(({ note }) => note === 'late').length).toBeGreaterThan(5);
    expect(truth).toEqual(play('ordinary').truth);
  });

  it('clock skew: the third hospital stamps its messages 11 minutes ahead; times of events are right', () => {
    const { hl7, truth } = play('clock-skew');
    const minutesAhead = (event: Hl7CityEvent) => {
      const time = (text: string) =>
        Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\+0700$/, '$1-$2-$3T$4:$5:$6+07:00'));
      return (time(field(event.text, 'EVN', 2)) - time(field(event.text, 'EVN', 6))) / 60_000;
    };
    const admitted = hl7.filter(({ type }) => type === 'ADT_A06');
    const triaged = (hospital: string) => admitted.filter((event) => event.hospital === hospital);
    for (const event of triaged('H3')) expect(minutesAhead(event)).toBeGreaterThan(10.9);
    for (const event of triaged('H1')) expect(minutesAhead(event)).toBeLessThan(3);
    expect(triaged('H3').length).toBeGreaterThan(2);
    expect(truth).toEqual(play('ordinary').truth);
  });
});

describe('hospitals', () => {
  it('lie in the city, have unique ids, and say that they are made up', () => {
    const list = hospitalList(60);
    expect(new Set(list.map(({ id }) => id)).size).toBe(60);
    for (const { name, latitude, longitude } of list) {
      expect(name).toMatch(/^Bệnh viện Thử nghiệm /);
      expect(latitude).toBeGreaterThanOrEqual(cityBox.south);
      expect(latitude).toBeLessThanOrEqual(cityBox.north);
      expect(longitude).toBeGreaterThanOrEqual(cityBox.west);
      expect(longitude).toBeLessThanOrEqual(cityBox.east);
    }
  });

  it('name patients who can be nobody', () => {
    for (const { text, note } of play('ordinary').hl7) {
      if (note === 'broken' || !text.includes('\rPID')) continue;
      expect(field(text, 'PID', 5)).toMatch(/\^Thử \d+\^/);
    }
  });
});
