"""Queries that look at one bid at a time."""

import bytewax.operators as op
from events import time_of


def q0(bids):
    return op.map("row", bids, lambda b: [b["auction"], b["bidder"], b["price"], b["dateTime"], b["extra"]])


def q1(bids):
    return op.map("row", bids, lambda b: [b["auction"], b["bidder"], 0.908 * b["price"], b["dateTime"], b["extra"]])


def q2(bids):
    wanted = op.filter("wanted", bids, lambda b: b["auction"] % 123 == 0)
    return op.map("row", wanted, lambda b: [b["auction"], b["price"]])


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


QUERIES = {query.__name__: query for query in (q0, q1, q2, q13, q14, q21, q22)}
