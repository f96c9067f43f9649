import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openGenerator } from './generator.ts';
import { lineOf } from './line.ts';
import { type NexmarkEvent, type NexmarkField, nexmarkFields } from './schema.ts';

const data = join(process.env.MACH_TEST_DATA ?? '../shared/data', 'nexmark');
const ordered = { seed: 42, rate: 10_000, disorder: 1 };
const disordered = { ...ordered, disorder: 100 };

describe('the seeded Nexmark', () => {
  it.each([
    ['in order', ordered, 'first-1000.ndjson'],
    ['out of order', disordered, 'first-1000-out-of-order-100.ndjson'],
  ])('gives the published first events, %s', (_, settings, file) => {
    const generator = openGenerator(settings);
    const lines = Array.from({ length: 1_000 }, (_, position) => lineOf(generator.eventAt(position)));
    expect(lines).toEqual(readFileSync(join(data, file), 'utf8').trimEnd().split('\n'));
  });

  it.each([
    ['in order', ordered, '29173fc33094dcb1f4f203481f515eba6b8918799f16eb96cbcc3965e705ce05'],
    ['out of order', disordered, 'f23d4a47c10a23acd084f58bf3736e3f4c698e547baaf0b691ed8bf2d9346b9c'],
  ])('has the published hash over a million events, %s', (_, settings, sha256) => {
    const generator = openGenerator(settings);
    const hash = createHash('sha256');
    for (let from = 0; from < 1_000_000; from += 1_000) {
      let lines = '';
      for (const event of generator.stretch(from, 1_000).events.events) lines += `${lineOf(event as NexmarkEvent)}\n`;
      hash.update(lines);
    }
    expect(hash.digest('hex')).toBe(sha256);
  });

  it('gives the same values whichever fields are wanted, beyond 32 bits of position too', () => {
    const whole = openGenerator(disordered);
    const sets: NexmarkField[][] = [
      ...nexmarkFields.map((name) => [name]),
      ['kind', 'auction', 'price'],
      ['date_time', 'id', 'state', 'expires'],
      [],
    ];
    for (const fields of sets) {
      const part = openGenerator(disordered, fields);
      for (const position of [0, 1, 3, 4, 953, 99_999, 2 ** 32, 2 ** 32 + 1, 2 ** 40 + 7]) {
        const event = whole.eventAt(position);
        const expected = Object.fromEntries(
          nexmarkFields.flatMap((name) => (fields.includes(name) ? [[name, event[name]]] : [])),
        );
        expect(part.eventAt(position), `${fields} at ${position}`).toEqual(expected);
      }
    }
  });
});
