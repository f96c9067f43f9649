"""What the queries ask of an event."""

from datetime import datetime, timezone


def is_bid(event):
    return event["kind"] == "bid"


def time_of(event):
    return datetime.fromtimestamp(event["dateTime"] / 1000, timezone.utc)


def millis(moment):
    return round(moment.timestamp() * 1000)


def day_of(event):
    return time_of(event).strftime("%Y-%m-%d")
