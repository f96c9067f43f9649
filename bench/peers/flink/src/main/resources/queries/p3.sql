-- bid auction bidder price
SELECT auction, bidder, first_time, last_time, first_price, last_price
FROM bid MATCH_RECOGNIZE (
  PARTITION BY auction, bidder
  ORDER BY `dateTime`, `position`
  MEASURES A.`dateTime` AS first_time, C.`dateTime` AS last_time, A.price AS first_price, C.price AS last_price
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (A B* C) WITHIN INTERVAL '5.001' SECOND
  DEFINE
    B AS B.price >= A.price - 50,
    C AS C.price < A.price - 50
)
