"""Queries over windows of event time or of the clock, and sessions. A window is known by the number of its start, counted from ALIGN."""

import sys
from datetime import datetime, timedelta, timezone

import bytewax.operators as op
import bytewax.operators.windowing as windowing
from events import millis, time_of

ALIGN = datetime(2015, 7, 15, tzinfo=timezone.utc)
LENGTH = timedelta(seconds=10)
GAP = timedelta(seconds=10)


def clock(time_of=time_of):
    # With the time of day its watermark would also move while a slow machine works, and events would be late.
    return windowing.EventClock(time_of, wait_for_system_duration=timedelta(seconds=4), now_getter=lambda: ALIGN)


def q5(bids):
    windower = windowing.SlidingWindower(LENGTH, timedelta(seconds=2), ALIGN)
    counts = windowing.count_window("count", bids, clock(), windower, lambda b: str(b["auction"]))
    by_window = op.map("by window", counts.down, lambda one: (str(one[1][0]), (int(one[0]), one[1][1])))

    def keep_most(kept, one):
        if not kept or one[1] > kept[0][1]:
            return [one]
        return [*kept, one] if one[1] == kept[0][1] else kept

    most = op.fold_final("most", by_window, list, keep_most)
    first = millis(ALIGN)
    return op.flat_map("row", most, lambda one: [[first + int(one[0]) * 2000, *best] for best in one[1]])


def q7(bids):
    """A bid on the boundary of two windows also counts in the earlier, whose highest price it does not make."""

    def entries(bid):
        at = time_of(bid)
        if bid["dateTime"] % 10_000 > 0:
            return [(at, bid, True)]
        return [(at, bid, True), (at - timedelta(milliseconds=1), bid, False)]

    def fold(state, entry):
        highest, kept, on_end = state
        _, bid, makes_highest = entry
        if not makes_highest:
            return (highest, kept, [*on_end, bid])
        if bid["price"] > highest:
            return (bid["price"], [bid], on_end)
        if bid["price"] == highest:
            kept.append(bid)
        return state

    def merge(one, other):
        highest = max(one[0], other[0])
        kept = [bid for state in (one, other) if state[0] == highest for bid in state[1]]
        return (highest, kept, one[2] + other[2])

    windows = windowing.fold_window(
        "highest",
        op.key_on("all", op.flat_map("entries", bids, entries), lambda _: "all"),
        clock(lambda entry: entry[0]),
        windowing.TumblingWindower(LENGTH, ALIGN),
        lambda: (0, [], []),
        fold,
        merge,
    )

    def rows(one):
        highest, kept, on_end = one[1][1]
        wanted = kept + [bid for bid in on_end if bid["price"] == highest]
        return [[b["auction"], b["price"], b["bidder"], b["dateTime"], b["extra"]] for b in wanted]

    return op.flat_map("row", windows.down, rows)


def q8(events):
    wanted = op.filter("wanted", events, lambda event: event["kind"] != "bid")
    keyed = op.key_on("key", wanted, lambda e: str(e["id"] if e["kind"] == "person" else e["seller"]))

    def fold(state, event):
        return (event["name"], state[1]) if event["kind"] == "person" else (state[0], True)

    def merge(one, other):
        return (one[0] or other[0], one[1] or other[1])

    windows = windowing.fold_window(
        "both", keyed, clock(), windowing.TumblingWindower(LENGTH, ALIGN), lambda: (None, False), fold, merge
    )
    first = millis(ALIGN)

    def row(one):
        person, (window, (name, sells)) = one
        return [int(person), name, first + window * 10_000] if name is not None and sells else None

    return op.filter_map("row", windows.down, row)


def q11(bids):
    keyed = op.key_on("key", bids, lambda b: str(b["bidder"]))

    def fold(span, bid):
        at = bid["dateTime"]
        return (span[0] + 1, min(span[1], at), max(span[2], at))

    def merge(one, other):
        return (one[0] + other[0], min(one[1], other[1]), max(one[2], other[2]))

    sessions = windowing.fold_window(
        "sessions",
        keyed,
        clock(),
        windowing.SessionWindower(GAP),
        lambda: (0, sys.maxsize, 0),
        fold,
        merge,
    )
    return op.map("row", sessions.down, lambda one: [int(one[0]), one[1][1][0], one[1][1][1], one[1][1][2] + 10000])


def q12(bids):
    windower = windowing.TumblingWindower(LENGTH, ALIGN)
    counts = windowing.count_window("count", bids, windowing.SystemClock(), windower, lambda b: str(b["bidder"]))
    return op.map("row", counts.down, lambda one: [int(one[0]), one[1][1]])


QUERIES = {query.__name__: query for query in (q5, q7, q8, q11, q12)}
