"""Queries of Nexmark as Bytewax dataflows in one worker. Takes requests, one JSON object a line, and answers with one line each."""

import json
import os
import resource
import sys
import time
from datetime import datetime, timedelta, timezone

import bytewax.operators as op
import bytewax.operators.windowing as windowing
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import TestingSource, run_main

ALIGN = datetime(2015, 7, 15, tzinfo=timezone.utc)
GAP = timedelta(seconds=10)
# As many events as the source hands on at a time.
BATCH = 1000


def is_bid(event):
    return event["kind"] == "bid"


def time_of(event):
    return datetime.fromtimestamp(event["dateTime"] / 1000, timezone.utc)


def millis(moment):
    return round(moment.timestamp() * 1000)


def day_of(event):
    return time_of(event).strftime("%Y-%m-%d")


def q0(bids):
    return op.map("row", bids, lambda b: [b["auction"], b["bidder"], b["price"], b["dateTime"], b["extra"]])


def q1(bids):
    return op.map("row", bids, lambda b: [b["auction"], b["bidder"], 0.908 * b["price"], b["dateTime"], b["extra"]])


def q2(bids):
    wanted = op.filter("wanted", bids, lambda b: b["auction"] % 123 == 0)
    return op.map("row", wanted, lambda b: [b["auction"], b["price"]])


def clock():
    # With the time of day its watermark would also move while a slow machine works, and events would be late.
    return windowing.EventClock(time_of, wait_for_system_duration=timedelta(seconds=4), now_getter=lambda: ALIGN)


def q5(bids):
    windower = windowing.SlidingWindower(timedelta(seconds=10), timedelta(seconds=2), ALIGN)
    counts = windowing.count_window("count", bids, clock(), windower, lambda b: str(b["auction"]))
    by_window = op.map("by window", counts.down, lambda one: (str(one[1][0]), (int(one[0]), one[1][1])))

    def keep_most(kept, one):
        if not kept or one[1] > kept[0][1]:
            return [one]
        return [*kept, one] if one[1] == kept[0][1] else kept

    most = op.fold_final("most", by_window, list, keep_most)
    first = millis(ALIGN)
    return op.flat_map("row", most, lambda one: [[first + int(one[0]) * 2000, *best] for best in one[1]])


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


def q13(bids):
    side = [str(key) for key in range(10_000)]
    return op.map("row", bids, lambda b: [b["auction"], b["bidder"], b["price"], b["dateTime"], side[b["auction"] % 10_000]])


def kind_of_time(bid):
    hour = time_of(bid).hour
    if 8 <= hour <= 18:
        return "dayTime"
    return "nightTime" if hour <= 6 or hour >= 20 else "otherTime"


def q14(bids):
    def row(bid):
        euros = 0.908 * bid["price"]
        if not 1_000_000 < euros < 50_000_000:
            return None
        extra = bid["extra"]
        return [bid["auction"], bid["bidder"], euros, kind_of_time(bid), bid["dateTime"], extra, extra.count("c")]

    return op.filter_map("row", bids, row)


def q17(bids):
    keyed = op.key_on("key", bids, lambda b: f"{b['auction']} {day_of(b)}")

    def fold(totals, bid):
        price = bid["price"]
        totals[0] += 1
        totals[1 if price < 10_000 else 2 if price < 1_000_000 else 3] += 1
        totals[4] = min(totals[4], price)
        totals[5] = max(totals[5], price)
        totals[6] += price
        return totals

    totals = op.fold_final("totals", keyed, lambda: [0, 0, 0, 0, sys.maxsize, 0, 0], fold)

    def row(one):
        auction, day = one[0].split(" ")
        count, *ranks, least, most, total = one[1]
        return [int(auction), day, count, *ranks, least, most, total // count, total]

    return op.map("row", totals, row)


def q18(bids):
    keyed = op.key_on("key", bids, lambda b: f"{b['bidder']} {b['auction']}")
    last = op.reduce_final("last", keyed, lambda kept, bid: bid if bid["dateTime"] >= kept["dateTime"] else kept)
    names = ("auction", "bidder", "price", "channel", "url", "dateTime", "extra")
    return op.map("row", last, lambda one: [one[1][name] for name in names])


CHANNELS = {"apple": "0", "google": "1", "facebook": "2", "baidu": "3"}


def q21(bids):
    def row(bid):
        found = CHANNELS.get(bid["channel"].lower())
        if found is None:
            _, mark, rest = bid["url"].partition("&channel_id=")
            if not mark:
                return None
            found = rest.split("&")[0]
        return [bid["auction"], bid["bidder"], bid["price"], bid["channel"], found]

    return op.filter_map("row", bids, row)


def q22(bids):
    def row(bid):
        parts = bid["url"].split("/")
        return [bid["auction"], bid["bidder"], bid["price"], bid["channel"], *parts[3:6]]

    return op.map("row", bids, row)


QUERIES = {query.__name__: query for query in (q0, q1, q2, q5, q11, q13, q14, q17, q18, q21, q22)}


class Rows(DynamicSink):
    def __init__(self, keeps):
        self.count = 0
        self.kept = [] if keeps else None

    def build(self, _step_id, _worker_index, _worker_count):
        return Writer(self)


class Writer(StatelessSinkPartition):
    def __init__(self, rows):
        self.rows = rows

    def write_batch(self, items):
        self.rows.count += len(items)
        if self.rows.kept is not None:
            self.rows.kept.extend(items)


def cell(value):
    if isinstance(value, float):
        value = round(value, 3)
        return int(value) if value.is_integer() else value
    return value


loaded = {}


def events_of(request):
    file = request["lines"]
    if file not in loaded:
        loaded.clear()
        with open(file, encoding="ascii") as lines:
            loaded[file] = [json.loads(line) for line in lines]
    return loaded[file]


def answer(request):
    query = QUERIES.get(request["query"])
    if query is None:
        return {"unsupported": "not written for this peer"}
    events = events_of(request)
    rows = Rows("rows" in request)
    flow = Dataflow("nexmark")
    stream = op.input("events", flow, TestingSource(events, batch_size=BATCH))
    op.output("rows", query(op.filter("bids", stream, is_bid)), rows)
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    run_main(flow)
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF)
    if rows.kept is not None:
        with open(request["rows"], "w", encoding="ascii") as file:
            for row in rows.kept:
                file.write(json.dumps([cell(value) for value in row], separators=(",", ":")) + "\n")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": seconds, "cpu_seconds": cpu, "rows": rows.count}


def main():
    # Whatever a library prints must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line))
        except Exception as error:  # noqa: BLE001 - the bench is told of whatever it is
            reply = {"error": repr(error)}
        answers.write(json.dumps(reply) + "\n")
        answers.flush()


main()
