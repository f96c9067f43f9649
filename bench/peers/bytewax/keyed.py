"""Queries that keep something for each key without a window: joins, totals, last and highest."""

import sys

import bytewax.operators as op
from events import day_of, time_of


def is_auction(event):
    return event["kind"] == "auction"


def q3(events):
    def wanted(event):
        if event["kind"] == "person":
            return event["state"] in ("OR", "ID", "CA")
        return is_auction(event) and event["category"] == 10

    def join(state, event):
        person, auctions = state or (None, [])
        if event["kind"] == "person":
            return (event, auctions), [row(event, auction) for auction in auctions]
        auctions.append(event["id"])
        return (person, auctions), [] if person is None else [row(person, event["id"])]

    def row(person, auction):
        return [person["name"], person["city"], person["state"], auction]

    keyed = op.key_on(
        "key", op.filter("wanted", events, wanted), lambda e: str(e["seller"] if is_auction(e) else e["id"])
    )
    return op.key_rm("row", op.stateful_flat_map("join", keyed, join))


def winning_bids(events):
    """The best bid of each auction in its time, as (auction, bid) by auction. Bids may come before their auction."""
    wanted = op.filter("wanted", events, lambda event: event["kind"] != "person")
    keyed = op.key_on("auction", wanted, lambda e: str(e["id"] if is_auction(e) else e["auction"]))

    def better(auction, best, bid):
        if not auction["dateTime"] <= bid["dateTime"] <= auction["expires"]:
            return best
        if best is None or bid["price"] > best["price"]:
            return bid
        return bid if bid["price"] == best["price"] and bid["dateTime"] < best["dateTime"] else best

    def fold(state, event):
        auction, best, waiting = state
        if is_auction(event):
            for bid in waiting:
                best = better(event, best, bid)
            return (event, best, [])
        if auction is None:
            waiting.append(event)
            return state
        return (auction, better(auction, best, event), waiting)

    folded = op.fold_final("winning", keyed, lambda: (None, None, []), fold)
    return op.filter_map("won", folded, lambda one: None if one[1][1] is None else (one[0], one[1][:2]))


def q4(events):
    prices = op.map("price", winning_bids(events), lambda one: (str(one[1][0]["category"]), one[1][1]["price"]))
    totals = op.fold_final("average", prices, lambda: (0, 0), lambda total, price: (total[0] + price, total[1] + 1))
    return op.map("row", totals, lambda one: [int(one[0]), one[1][0] // one[1][1]])


OFFER = ("itemName", "description", "initialBid", "reserve", "dateTime", "expires", "seller", "category", "extra")


def q9(events):
    def row(one):
        auction, bid = one[1]
        names = ("auction", "bidder", "price", "dateTime", "extra")
        return [auction["id"], *(auction[name] for name in OFFER), *(bid[name] for name in names)]

    return op.map("row", winning_bids(events), row)


def rank_of(price):
    return 1 if price < 10_000 else 2 if price < 1_000_000 else 3


def new_distinct():
    return [0, 0, 0, 0], [set() for _ in range(4)], [set() for _ in range(4)]


def add_distinct(totals, bid):
    bids, bidders, auctions = totals
    for at in (0, rank_of(bid["price"])):
        bids[at] += 1
        bidders[at].add(bid["bidder"])
        auctions[at].add(bid["auction"])
    return totals


def distinct_cells(totals):
    bids, bidders, auctions = totals
    return [*bids, *(len(some) for some in bidders), *(len(some) for some in auctions)]


def q15(bids):
    totals = op.fold_final("totals", op.key_on("day", bids, day_of), new_distinct, add_distinct)
    return op.map("row", totals, lambda one: [one[0], *distinct_cells(one[1])])


def q16(bids):
    def fold(state, bid):
        last, totals = state
        return (max(last, bid["dateTime"]), add_distinct(totals, bid))

    keyed = op.key_on("key", bids, lambda b: f"{day_of(b)} {b['channel']}")
    folded = op.fold_final("totals", keyed, lambda: (0, new_distinct()), fold)

    def row(one):
        day, channel = one[0].split(" ", 1)
        last, totals = one[1]
        return [channel, day, time_of({"dateTime": last}).strftime("%H:%M"), *distinct_cells(totals)]

    return op.map("row", folded, row)


def q17(bids):
    keyed = op.key_on("key", bids, lambda b: f"{b['auction']} {day_of(b)}")

    def fold(totals, bid):
        price = bid["price"]
        totals[0] += 1
        totals[rank_of(price)] += 1
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


BID = ("auction", "bidder", "price", "channel", "url", "dateTime", "extra")


def q18(bids):
    keyed = op.key_on("key", bids, lambda b: f"{b['bidder']} {b['auction']}")
    last = op.reduce_final("last", keyed, lambda kept, bid: bid if bid["dateTime"] >= kept["dateTime"] else kept)
    return op.map("row", last, lambda one: [one[1][name] for name in BID])


def q19(bids):
    def fold(best, bid):
        price = bid["price"]
        if len(best) == 10 and price <= best[-1]["price"]:
            return best
        at = len(best)
        while at > 0 and best[at - 1]["price"] < price:
            at -= 1
        best.insert(at, bid)
        del best[10:]
        return best

    best = op.fold_final("best", op.key_on("key", bids, lambda b: str(b["auction"])), list, fold)

    def rows(one):
        return [[*(bid[name] for name in BID), rank] for rank, bid in enumerate(one[1], 1)]

    return op.flat_map("row", best, rows)


def q20(events):
    def join(state, event):
        auction, waiting = state or (None, [])
        if is_auction(event):
            joined = [row(bid, event) for bid in waiting] if event["category"] == 10 else []
            return (event, []), joined
        if auction is None:
            waiting.append(event)
            return (auction, waiting), []
        return (auction, waiting), [row(event, auction)] if auction["category"] == 10 else []

    def row(bid, auction):
        return [*(bid[name] for name in BID), *(auction[name] for name in OFFER)]

    wanted = op.filter("wanted", events, lambda event: event["kind"] != "person")
    keyed = op.key_on("auction", wanted, lambda e: str(e["id"] if is_auction(e) else e["auction"]))
    return op.key_rm("row", op.stateful_flat_map("join", keyed, join))


def q23(events):
    def key(event):
        return str(event[{"person": "id", "auction": "seller", "bid": "bidder"}[event["kind"]]])

    def join(state, event):
        person, auctions, bids = state or (None, [], [])
        if event["kind"] == "bid":
            bids.append(event)
            pairs = [(auction, event) for auction in auctions]
        elif event["kind"] == "auction":
            auctions.append(event["id"])
            pairs = [(event["id"], bid) for bid in bids]
        else:
            person = event
            pairs = [(auction, bid) for auction in auctions for bid in bids]
        rows = [] if person is None else [row(person, auction, bid) for auction, bid in pairs]
        return (person, auctions, bids), rows

    def row(person, auction, bid):
        bidder = bid["bidder"]
        return [auction, bidder, bidder, bid["price"], bid["dateTime"], person["name"], person["state"]]

    return op.key_rm("row", op.stateful_flat_map("join", op.key_on("key", events, key), join))


QUERIES = {query.__name__: query for query in (q3, q4, q9, q15, q16, q17, q18, q19, q20, q23)}
