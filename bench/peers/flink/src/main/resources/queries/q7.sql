-- bid auction bidder price extra
SELECT B.auction, B.price, B.bidder, B.`dateTime`, B.extra
FROM bid B
JOIN (
  SELECT MAX(price) AS maxprice, window_end AS endtime
  FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND))
  GROUP BY window_start, window_end
) B1
ON B.price = B1.maxprice
WHERE CAST(B.`dateTime` AS TIMESTAMP(3)) BETWEEN B1.endtime - INTERVAL '10' SECOND AND B1.endtime
