-- bid auction bidder price
/* A match is given once it is sure that no longer or earlier one comes: after the last bid, each auction and bidder has one row more, without a price. */
SELECT auction, bidder, first_time, last_time, average
FROM (
  SELECT auction, bidder, price, `dateTime`, `position` FROM bid
  UNION ALL
  SELECT auction, bidder, CAST(NULL AS BIGINT) AS price, window_time AS `dateTime`, CAST(0 AS BIGINT) AS `position`
  FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '36500' DAY(5)))
  GROUP BY auction, bidder, window_start, window_end, window_time
) MATCH_RECOGNIZE (
  PARTITION BY auction, bidder
  ORDER BY `dateTime`, `position`
  MEASURES FIRST(A.`dateTime`) AS first_time, LAST(A.`dateTime`) AS last_time, AVG(A.price) AS average
  AFTER MATCH SKIP TO NEXT ROW
  PATTERN (A+ B)
  DEFINE
    A AS A.price IS NOT NULL AND AVG(A.price) < 10000,
    B AS (SUM(A.price) + B.price) / (COUNT(A.price) + 1) >= 10000
)
