/** Each alert rule fires and clears by what comes in: events through the main job's own operators, rows in a real store, the rule as Grafana evaluates it. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { wallTime } from '../../runtime/clock.ts';
import { startTestStore, type TestStore } from '../../runtime/testing/with-store.ts';
import { type CityWorld, cityWorlds, type Item } from './city-world.fixture.ts';
import { type AlertState, watchRule } from './evaluate.ts';
import { rules } from './rules.ts';

const minuteMs = 60_000;
/** Whole minutes; of these days, since the engine's own tables keep only the last. */
const startMs = Math.floor(wallTime() / minuteMs) * minuteMs - 3 * 3_600_000;

let test: TestStore;
let openCityWorld: (startMs: number) => Promise<CityWorld>;
let world: CityWorld | undefined;
const tried = new Set<string>();

beforeAll(async () => {
  test = await startTestStore();
  openCityWorld = await cityWorlds(test.store);
});
afterEach(async () => {
  await world?.close();
  world = undefined;
});
afterAll(() => test.stop());

async function open(uid: string) {
  const rule = rules.find((one) => one.uid === uid);
  if (!rule) throw new Error(`there is no rule ${uid}`);
  tried.add(uid);
  const city = await openCityWorld(startMs);
  world = city;
  const watch = watchRule(test.store, rule);
  const look = async (labels: Readonly<Record<string, string>> = {}): Promise<AlertState | undefined> =>
    (await watch.look(city.now())).get(JSON.stringify(labels));
  return { city, look };
}

const stay = (visit: string, kind: 'arrival' | 'discharge'): Item => ({
  kind,
  message_type: 'ADT',
  message_id: `${kind}-${visit}`,
  part: 0,
  hospital: 'H8',
  department: 'ED',
  patient_class: 'E',
  visit_id: visit,
});
const visits = Array.from({ length: 16 }, (_, number) => `V${number}`);
const at = (items: readonly Item[], time: number) => items.map((item) => ({ ...item, occurred_at: time }));
const beds = (hospital: string, time: number): Item => ({
  hospital,
  reported_at: time,
  ed_beds: 4,
  hospital_beds: 100,
  ed_physicians: 2,
});
const unit = (time: number): Item => ({
  kind: 'unit',
  centre: '115',
  unit_id: 'A1',
  reported_at: time,
  phase: 'standby',
});

/** A department of four beds with sixteen patients. */
async function overload(city: CityWorld) {
  await city.send('beds', 'H8', [beds('H8', city.now())]);
  await city.send('centre', '115', [unit(city.now())]);
  await city.pass(minuteMs);
  await city.send(
    'adt',
    'H8',
    at(
      visits.map((visit) => stay(visit, 'arrival')),
      city.now(),
    ),
  );
}

const empty = (city: CityWorld) =>
  city.send(
    'adt',
    'H8',
    at(
      visits.slice(1).map((visit) => stay(visit, 'discharge')),
      city.now(),
    ),
  );

// Each lets up to half an hour of a city pass through the real operators and a real store.
describe('alert rules', () => {
  it('mach-department-overloaded: fires after five minutes at level 4, and clears when patients have left', async () => {
    const { city, look } = await open('mach-department-overloaded');
    const h8 = { hospital: 'H8' };
    await overload(city);
    expect(await look(h8)).not.toBe('alerting');
    await city.pass(4 * minuteMs);
    expect(await look(h8)).toBe('pending');
    await city.pass(4 * minuteMs);
    expect(await look(h8)).toBe('pending');
    await city.pass(minuteMs);
    expect(await look(h8)).toBe('alerting');
    await empty(city);
    await city.pass(5 * minuteMs);
    expect(await look(h8)).toBe('normal');
  });

  it('mach-alert-unclaimed: fires when an alert has been open for a quarter of an hour, and clears with it', async () => {
    const { city, look } = await open('mach-alert-unclaimed');
    await overload(city);
    await city.pass(12 * minuteMs);
    expect(await look()).toBe('normal');
    await city.pass(14 * minuteMs);
    expect(await look()).toBe('alerting');
    await empty(city);
    await city.pass(8 * minuteMs);
    expect(await look()).toBe('normal');
  });

  it('mach-centre-silent: fires on silence and when the centre was never heard, and clears when it speaks', async () => {
    const { city, look } = await open('mach-centre-silent');
    await city.pass(minuteMs);
    expect(await look()).toBe('pending');
    await city.pass(minuteMs);
    expect(await look()).toBe('alerting');
    await city.send('centre', '115', [unit(city.now())]);
    await city.pass(minuteMs);
    const centre = {};
    expect(await look(centre)).toBe('normal');
    await city.pass(3 * minuteMs);
    expect(await look(centre)).toBe('pending');
    await city.pass(minuteMs);
    expect(await look(centre)).toBe('alerting');
    await city.send('centre', '115', [unit(city.now())]);
    await city.pass(minuteMs);
    expect(await look(centre)).toBe('normal');
  });

  it('mach-hospitals-silent: fires for the feed that is silent, and clears when it is heard', async () => {
    const { city, look } = await open('mach-hospitals-silent');
    await city.send('beds', 'H8', [beds('H8', city.now())]);
    await city.send('adt', 'H8', at([stay('V1', 'arrival')], city.now()));
    await city.pass(minuteMs);
    expect([await look({ source: 'adt' }), await look({ source: 'beds' })]).toEqual(['normal', 'normal']);
    await city.pass(11 * minuteMs);
    expect([await look({ source: 'adt' }), await look({ source: 'beds' })]).toEqual(['pending', 'normal']);
    await city.pass(5 * minuteMs);
    expect(await look({ source: 'adt' })).toBe('alerting');
    await city.send('adt', 'H8', at([stay('V1', 'discharge')], city.now()));
    await city.pass(minuteMs);
    expect(await look({ source: 'adt' })).toBe('normal');
  });

  it('mach-engine-silent: fires when the engine writes nothing of itself, and clears when it does again', async () => {
    const { city, look } = await open('mach-engine-silent');
    await city.pass(minuteMs);
    expect(await look()).toBe('normal');
    await city.pass(2 * minuteMs, { engineWritesOfItself: false });
    expect(await look()).toBe('pending');
    await city.pass(minuteMs, { engineWritesOfItself: false });
    expect(await look()).toBe('alerting');
    // So long that nothing of it is looked at any more: no data is no relief.
    await city.pass(10 * minuteMs, { engineWritesOfItself: false });
    expect(await look()).toBe('alerting');
    await city.pass(minuteMs);
    expect(await look()).toBe('normal');
  });

  it('mach-sinks-behind: fires while a hospital with a slow clock holds time back, and clears when it is right', async () => {
    const { city, look } = await open('mach-sinks-behind');
    const sink = { node: 'ed_status' };
    await city.send('beds', 'H8', [beds('H8', city.now())]);
    await city.send('centre', '115', [unit(city.now())]);
    const speak = async (minutes: number, agoMs: number) => {
      for (let minute = 0; minute < minutes; minute++) {
        const news = stay(`V${city.now()}`, 'arrival');
        await city.send('adt', 'H8', at([news], city.now() - agoMs), { agoMs });
        await city.pass(minuteMs);
      }
    };
    await speak(3, 15 * minuteMs);
    expect(await look(sink)).toBe('pending');
    await speak(5, 15 * minuteMs);
    expect(await look(sink)).toBe('alerting');
    await speak(3, 0);
    expect(await look(sink)).toBe('normal');
  });

  it('mach-dead-letters: fires for the source that got something unreadable, and clears a quarter of an hour later', async () => {
    const { city, look } = await open('mach-dead-letters');
    await city.pass(minuteMs);
    expect(await look({ node: 'adt' })).toBe('normal');
    await city.sendUnreadable('adt', 'H8');
    await city.pass(minuteMs);
    expect([await look({ node: 'adt' }), await look({ node: 'beds' })]).toEqual(['alerting', 'normal']);
    await city.pass(16 * minuteMs);
    expect(await look({ node: 'adt' })).toBe('normal');
  });

  it('mach-calls-unanswered: fires when callers wait, and clears when they are answered', async () => {
    const { city, look } = await open('mach-calls-unanswered');
    expect(await look()).toBe('normal');
    const call = async (number: number, answeredAfterMs: number) => {
      const received = city.now();
      const known = {
        call_received_at: received,
        answered_at: received + answeredAfterMs,
        priority: 1,
        latitude: 10.76,
        longitude: 106.66,
      };
      await city.send('centre', '115', [{ kind: 'call', centre: '115', call_id: `C${number}`, ...known }]);
      await city.pass(minuteMs);
    };
    for (let number = 0; number < 4; number++) await call(number, 45_000);
    await city.pass(2 * minuteMs);
    expect(await look()).toBe('alerting');
    await city.pass(15 * minuteMs);
    for (let number = 10; number < 14; number++) await call(number, 4_000);
    await city.pass(2 * minuteMs);
    expect(await look()).toBe('normal');
  });

  it('are all tried here', () => {
    expect([...tried].sort()).toEqual(rules.map(({ uid }) => uid).sort());
  });
});
