-- bid bidder
-- clock-window-ms 10000
SELECT bidder, bids
FROM (
  SELECT bidder, COUNT(*) AS bids, window_start, window_end
  FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(procTime), INTERVAL '10' SECOND))
  GROUP BY bidder, window_start, window_end
)
