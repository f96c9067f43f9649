import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyAccounting, isBalanced, Ledger, type Outcome, outcome, unconsumed } from './ledger.ts';

const kinds = [outcome.filtered, outcome.dropped, outcome.late, outcome.dead, outcome.delivered] as const;

describe('ledger', () => {
  it('counts the strongest outcome of each event, once', () => {
    const ledger = new Ledger();
    ledger.open(5, 2);
    ledger.settle(0, outcome.filtered);
    ledger.settle(0, outcome.delivered);
    ledger.settle(0, outcome.dead);
    ledger.settle(1, outcome.late);
    ledger.settle(1, outcome.dropped, 'sampled');
    ledger.settle(2, outcome.dropped, 'duplicate');
    ledger.settle(3, outcome.dead);
    ledger.close();
    expect(ledger.accounting).toEqual({
      in: 7,
      delivered: 1,
      filtered: 0,
      late: 1,
      dropped: 2,
      dead_lettered: 3,
      dropped_by_reason: { duplicate: 1, [unconsumed]: 1 },
      redriven: 0,
    });
  });

  it('takes the outcome of many at once as if it were told of each', () => {
    const causes = [0, -1, 2, 3, 2];
    const [one, all] = [new Ledger(), new Ledger()];
    for (const ledger of [one, all]) {
      ledger.open(5, 0);
      ledger.settle(2, outcome.delivered);
      ledger.settle(3, outcome.filtered);
    }
    for (const cause of causes) one.settle(cause, outcome.late);
    all.settleAll(causes, outcome.late);
    expect(all.close()).toEqual(one.close());
    expect(all.accounting).toEqual(one.accounting);
    expect(all.accounting).toMatchObject({ in: 5, delivered: 1, late: 2, dropped: 2 });
  });

  it('knows nothing of events that time made', () => {
    const ledger = new Ledger();
    ledger.open(1, 0);
    ledger.settle(-1, outcome.dead);
    expect(ledger.isSettled(-1)).toBe(true);
    expect(ledger.isSettled(0)).toBe(false);
    ledger.settle(0, outcome.delivered);
    ledger.close();
    expect(ledger.accounting).toMatchObject({ in: 1, delivered: 1, dead_lettered: 0 });
  });

  it('keeps nothing of a message for the next', () => {
    const ledger = new Ledger();
    ledger.open(3, 0);
    for (const cause of [0, 1, 2]) ledger.settle(cause, outcome.dropped, 'sampled');
    ledger.close();
    ledger.open(3, 0);
    expect([0, 1, 2].map((cause) => ledger.isSettled(cause))).toEqual([false, false, false]);
    ledger.close();
    expect(ledger.accounting.dropped_by_reason).toEqual({ sampled: 3, [unconsumed]: 3 });
  });

  it('says when the sums do not match', () => {
    expect(isBalanced(emptyAccounting())).toBe(true);
    expect(isBalanced({ ...emptyAccounting(), in: 1 })).toBe(false);
  });

  it('balances whatever happens, and agrees with the strongest of each event', () => {
    const settlement = fc.record({ cause: fc.integer({ min: -1, max: 40 }), result: fc.constantFrom(...kinds) });
    const message = fc.record({
      events: fc.nat(40),
      dead: fc.nat(3),
      settled: fc.array(settlement, { maxLength: 120 }),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 20 }), (messages) => {
        const ledger = new Ledger();
        const expected = { delivered: 0, filtered: 0, late: 0, dropped: 0, dead: 0 };
        for (const { events, dead, settled } of messages) {
          const strongest: Outcome[] = Array.from({ length: events }, () => outcome.none);
          ledger.open(events, dead);
          expected.dead += dead;
          for (const { cause, result } of settled.filter(({ cause }) => cause < events)) {
            ledger.settle(cause, result, 'a reason');
            if (cause >= 0 && result > (strongest[cause] ?? 0)) strongest[cause] = result;
          }
          ledger.close();
          for (const result of strongest) {
            if (result === outcome.delivered) expected.delivered++;
            else if (result === outcome.filtered) expected.filtered++;
            else if (result === outcome.late) expected.late++;
            else if (result === outcome.dead) expected.dead++;
            else expected.dropped++;
          }
          expect(isBalanced(ledger.accounting)).toBe(true);
        }
        const { delivered, filtered, late, dropped, dead_lettered } = ledger.accounting;
        expect({ delivered, filtered, late, dropped, dead: dead_lettered }).toEqual(expected);
      }),
    );
  });

  it('takes messages of more events than it has room for', () => {
    const ledger = new Ledger();
    ledger.open(5_000, 0);
    for (let cause = 0; cause < 5_000; cause++) ledger.settle(cause, outcome.delivered);
    ledger.close();
    ledger.open(10, 0);
    ledger.close();
    expect(ledger.accounting).toMatchObject({ in: 5_010, delivered: 5_000, dropped: 10 });
  });
});
