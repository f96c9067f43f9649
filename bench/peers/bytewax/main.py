"""Queries of Nexmark as Bytewax dataflows in one worker. Takes requests, one JSON object a line, and answers with one line each."""

import json
import os
import resource
import sys
import time

import bytewax.operators as op
import keyed
import stateless
import windows
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import TestingSource, run_main
from events import is_bid

# As many events as the source hands on at a time.
BATCH = 1000

QUERIES = {**stateless.QUERIES, **windows.QUERIES, **keyed.QUERIES}
READ_ALL_KINDS = {"q3", "q4", "q8", "q9", "q20", "q23"}
ABSENT = {
    "q10": "its file sinks have a fixed set of files",
    **{name: "it has no operator for patterns: that would be the hand-written loop" for name in ("p0", "p1", "p2", "p3")},
}


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


def totals_of(rows):
    """Of windows of the clock, rows are compared by their total."""
    totals = {}
    for key, count in rows:
        totals[key] = totals.get(key, 0) + count
    return [[key, total] for key, total in totals.items()]


def answer(request):
    query = QUERIES.get(request["query"])
    if query is None:
        return {"unsupported": ABSENT.get(request["query"], "there is no query of this name")}
    events = events_of(request)
    rows = Rows("rows" in request)
    flow = Dataflow("nexmark")
    stream = op.input("events", flow, TestingSource(events, batch_size=BATCH))
    if request["query"] not in READ_ALL_KINDS:
        stream = op.filter("bids", stream, is_bid)
    op.output("rows", query(stream), rows)
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    run_main(flow)
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF)
    if rows.kept is not None:
        if request["query"] == "q12":
            rows.kept = totals_of(rows.kept)
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
