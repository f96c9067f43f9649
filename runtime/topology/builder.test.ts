import { describe, expect, expectTypeOf, it } from 'vitest';
import { type EventsOf, topology } from './builder.ts';
import { loadTopology } from './load.ts';
import {
  beds,
  count,
  filter,
  fromText,
  goodTopology,
  join,
  map,
  table,
  testCatalogue,
  testEnvironment,
  visits,
} from './test-catalogue.ts';

function waitingRooms() {
  const rooms = topology('waiting-rooms', { description: 'Emergency departments where patients wait too long' });
  const adt = rooms.source(
    'adt',
    visits,
    { listen: 2575, token: '${env:TOKEN}' },
    { idle: '2m', disorder: '5s', durability: 'broker' },
  );
  const bedFiles = rooms.source('bed_files', beds, { folder: '${env:BED_FILES}', format: 'csv' });
  const waiting = rooms.operator(
    'waiting',
    filter,
    { from: adt, when: 'kind == "arrival" && department == "ED"' },
    { description: 'only who waits' },
  );
  const perHospital = rooms.operator('per_hospital', count, {
    from: waiting,
    key: 'hospital',
    window: { sliding: '10m', every: '1m', lateness: '5m' },
  });
  const withBeds = rooms.operator('with_beds', join, { left: perHospital, right: bedFiles, on: 'hospital' });
  const load = rooms.operator('load', map, {
    from: withBeds,
    values: { hospital: 'hospital', load: 'count * 1.0 / beds' },
  });
  rooms.sink('status', table, { from: load, table: 'ed_status' });
  rooms.sink('late', table, { from: [perHospital.port('late')], table: 'late_visits' });
  return { rooms, adt, bedFiles, waiting, perHospital };
}

/** The representation without places, and as plain data. */
function meaningOf(ir: unknown): unknown {
  return JSON.parse(
    JSON.stringify(ir, (key, value) =>
      key === 'span' || key === 'definitionSpan' || key === 'places' ? undefined : value,
    ),
  );
}

describe('the builder', () => {
  it('gives the intermediate representation that the file gives', () => {
    const { rooms } = waitingRooms();
    const fromFile = loadTopology('t.yaml', {
      catalogue: testCatalogue,
      env: testEnvironment,
      readFile: fromText(goodTopology.replace('count * 1.0\n          / beds', 'count * 1.0 / beds')),
    }).topology;
    expect(meaningOf(rooms.build())).toEqual(meaningOf(fromFile?.ir));
    const built = rooms.load({ env: testEnvironment });
    expect(built.diagnostics).toEqual([]);
    expect(built.topology?.hash).toBe(fromFile?.hash);
  });

  it('checks what the compiler cannot', () => {
    const rooms = topology('rooms');
    const adt = rooms.source('adt', visits, { listen: 2575 });
    const some = rooms.operator('some', filter, { from: adt, when: 'departmnt == "ED"' });
    rooms.sink('out', table, { from: some, table: 't' });
    const { topology: bound, diagnostics } = rooms.load({ env: {} });
    expect(bound).toBeUndefined();
    expect(diagnostics).toMatchObject([{ code: 'MACH1203', file: 'topology("rooms")' }]);
  });

  it('refuses an id that is taken', () => {
    const rooms = topology('rooms');
    rooms.source('adt', visits, { listen: 1 });
    expect(() => rooms.source('adt', visits, { listen: 2 })).toThrow('the id "adt" is taken');
  });

  it('knows the events of every edge', () => {
    const { adt, bedFiles, waiting } = waitingRooms();
    interface Visit {
      kind: 'arrival' | 'discharge';
      hospital: string;
      department: string;
      minutes_waiting: number;
      patient_name: string;
    }
    expectTypeOf<EventsOf<typeof adt>>().toEqualTypeOf<Visit>();
    expectTypeOf<EventsOf<typeof waiting>>().toEqualTypeOf<Visit>();
    expectTypeOf<EventsOf<typeof bedFiles>>().toEqualTypeOf<{ hospital: string; beds: number }>();
    expectTypeOf<EventsOf<typeof waiting>['kind']>().not.toEqualTypeOf<string>();
    expect(waiting.portName).toBe('out');
  });

  it('lets the compiler refuse what does not fit together', () => {
    const rooms = topology('rooms');
    const adt = rooms.source('adt', visits, { listen: 1 });
    const some = rooms.operator('some', filter, { from: adt, when: 'true' });
    // @ts-expect-error an input is a stream, not the name of one
    rooms.operator('a', filter, { from: 'adt', when: 'true' });
    // @ts-expect-error an option is missing
    rooms.operator('b', filter, { from: adt });
    // @ts-expect-error an option has the wrong type
    rooms.source('c', visits, { listen: '1' });
    // @ts-expect-error a source has no such port
    expect(adt.port('late').portName).toBe('late');
    // @ts-expect-error an operator has no such port
    expect(some.port('lat').portName).toBe('lat');
    // @ts-expect-error a sink reads streams
    rooms.sink('d', table, { from: 'some', table: 't' });
    // @ts-expect-error a source is not an operator
    rooms.operator('e', visits, { listen: 1 });
    expect(some.port('dead').portName).toBe('dead');
  });
});
