-- bid auction bidder price
/* A match is given once it is sure that no longer or earlier one comes: after the last bid, each auction and bidder has one row more, without a price. */
SELECT auction, bidder, start_time, lowest_price, last_time, last_price
FROM (
  SELECT auction, bidder, price, `dateTime`, `position` FROM bid
  UNION ALL
  SELECT auction, bidder, CAST(NULL AS BIGINT) AS price, window_time AS `dateTime`, CAST(0 AS BIGINT) AS `position`
  FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '36500' DAY(5)))
  GROUP BY auction, bidder, window_start, window_end, window_time
) MATCH_RECOGNIZE (
  PARTITION BY auction, bidder
  ORDER BY `dateTime`, `position`
  MEASURES A.`dateTime` AS start_time, LAST(FALL.price) AS lowest_price, LAST(RISE.`dateTime`) AS last_time,
    LAST(RISE.price) AS last_price
  AFTER MATCH SKIP TO LAST RISE
  PATTERN (A FALL+ RISE+ REST)
  DEFINE
    FALL AS FALL.price < COALESCE(LAST(FALL.price, 1), A.price),
    RISE AS RISE.price > COALESCE(LAST(RISE.price, 1), LAST(FALL.price)),
    REST AS REST.price IS NULL OR REST.price <= LAST(RISE.price)
)
