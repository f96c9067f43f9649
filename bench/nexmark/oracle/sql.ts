/**
 * The queries in ClickHouse's SQL, in batch over the whole stream. `people`, `auctions` and `bids` are views of it; times are ms since the
 * epoch; `position` is the place in the stream.
 */
const rank1 = 'price < 10000';
const rank2 = 'price >= 10000 AND price < 1000000';
const rank3 = 'price >= 1000000';
const day = "formatDateTime(fromUnixTimestamp64Milli(date_time, 'UTC'), '%Y-%m-%d', 'UTC')";
const minute = "formatDateTime(fromUnixTimestamp64Milli(date_time, 'UTC'), '%H:%i', 'UTC')";
const hour = "toHour(fromUnixTimestamp64Milli(date_time, 'UTC'), 'UTC')";
const bidCounts = `count() AS bids, countIf(${rank1}) AS rank1_bids, countIf(${rank2}) AS rank2_bids,
  countIf(${rank3}) AS rank3_bids`;
const distinctCounts = ['bidder', 'auction']
  .map(
    (name) => `uniqExact(${name}) AS ${name}s, uniqExactIf(${name}, ${rank1}) AS rank1_${name}s,
  uniqExactIf(${name}, ${rank2}) AS rank2_${name}s, uniqExactIf(${name}, ${rank3}) AS rank3_${name}s`,
  )
  .join(', ');
const valid = `auctions AS a JOIN bids AS b ON b.auction = a.id
  WHERE b.date_time >= a.date_time AND b.date_time <= a.expires`;
const gapMs = 10_000;

export const sqlOf: Readonly<Record<string, string>> = {
  q0: 'SELECT auction, bidder, price, date_time, extra FROM bids',
  q1: 'SELECT auction, bidder, 0.908 * price AS euros, date_time, extra FROM bids',
  q2: 'SELECT auction, price FROM bids WHERE auction % 123 = 0',
  q3: `SELECT p.name AS name, p.city AS city, p.state AS state, a.id AS auction_id
    FROM auctions AS a JOIN people AS p ON a.seller = p.id WHERE a.category = 10 AND p.state IN ('OR', 'ID', 'CA')`,
  q4: `SELECT category, intDiv(sum(winning), count()) AS average FROM (
      SELECT a.id AS id, a.category AS category, max(b.price) AS winning FROM ${valid} GROUP BY id, category
    ) GROUP BY category`,
  q5: `WITH counts AS (
      SELECT window_start, auction, count() AS bids FROM (
        SELECT auction, arrayJoin(arrayMap(step -> (intDiv(date_time, 2000) - step) * 2000, range(5))) AS window_start
        FROM bids) GROUP BY window_start, auction)
    SELECT window_start, auction, bids FROM counts
    WHERE (window_start, bids) IN (SELECT window_start, max(bids) FROM counts GROUP BY window_start)`,
  q7: `SELECT auction, b.price AS price, bidder, date_time, extra FROM bids AS b JOIN (
      SELECT (intDiv(date_time, 10000) + 1) * 10000 AS window_end, max(price) AS highest FROM bids GROUP BY window_end
    ) AS w ON b.price = w.highest WHERE date_time >= window_end - 10000 AND date_time <= window_end`,
  q8: `SELECT DISTINCT p.id AS id, p.name AS name, p.window_start AS window_start
    FROM (SELECT id, name, intDiv(date_time, 10000) * 10000 AS window_start FROM people) AS p
    JOIN (SELECT DISTINCT seller, intDiv(date_time, 10000) * 10000 AS window_start FROM auctions) AS s
    ON p.id = s.seller AND p.window_start = s.window_start`,
  q9: `SELECT a.id AS id, a.item_name AS item_name, a.description AS description, a.initial_bid AS initial_bid,
      a.reserve AS reserve, a.date_time AS date_time, a.expires AS expires, a.seller AS seller, a.category AS category,
      a.extra AS extra, b.auction AS bid_auction, b.bidder AS bid_bidder, b.price AS bid_price,
      b.date_time AS bid_date_time, b.extra AS bid_extra
    FROM ${valid} ORDER BY b.price DESC, b.date_time, b.position LIMIT 1 BY a.id`,
  q10: `SELECT ${day} AS day, ${minute} AS minute, count() AS bids FROM bids GROUP BY day, minute`,
  q11: `SELECT bidder, count() AS bids, min(date_time) AS window_start, max(date_time) + ${gapMs} AS window_end FROM (
      SELECT bidder, date_time, sum(begins) OVER (
        PARTITION BY bidder ORDER BY date_time, position ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS session
      FROM (
        SELECT bidder, date_time, position, date_time - lagInFrame(date_time, 1, 0) OVER (
          PARTITION BY bidder ORDER BY date_time, position ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) > ${gapMs} AS begins FROM bids)
    ) GROUP BY bidder, session`,
  q12: 'SELECT bidder, count() AS bids FROM bids GROUP BY bidder',
  q13: 'SELECT auction, bidder, price, date_time, toString(auction % 10000) AS value FROM bids',
  q14: `SELECT auction, bidder, 0.908 * price AS euros, multiIf(${hour} BETWEEN 8 AND 18, 'dayTime',
      ${hour} <= 6 OR ${hour} >= 20, 'nightTime', 'otherTime') AS time_of_day, date_time, extra,
      countSubstrings(extra, 'c') AS c_count
    FROM bids WHERE 0.908 * price > 1000000 AND 0.908 * price < 50000000`,
  q15: `SELECT ${day} AS day, ${bidCounts}, ${distinctCounts} FROM bids GROUP BY day`,
  q16: `SELECT channel, ${day} AS day, max(${minute}) AS minute, ${bidCounts}, ${distinctCounts}
    FROM bids GROUP BY channel, day`,
  q17: `SELECT auction, ${day} AS day, ${bidCounts}, min(price) AS lowest, max(price) AS highest,
      intDiv(sum(price), count()) AS average, sum(price) AS total FROM bids GROUP BY auction, day`,
  q18: `SELECT auction, bidder, price, channel, url, date_time, extra FROM bids
    ORDER BY date_time DESC, position DESC LIMIT 1 BY bidder, auction`,
  q19: `SELECT * FROM (SELECT auction, bidder, price, channel, url, date_time, extra,
      row_number() OVER (PARTITION BY auction ORDER BY price DESC, position) AS rank FROM bids) WHERE rank <= 10`,
  q20: `SELECT b.auction AS auction, b.bidder AS bidder, b.price AS price, b.channel AS channel, b.url AS url,
      b.date_time AS date_time, b.extra AS extra, a.item_name AS auction_item_name,
      a.description AS auction_description, a.initial_bid AS auction_initial_bid, a.reserve AS auction_reserve,
      a.date_time AS auction_date_time, a.expires AS auction_expires, a.seller AS auction_seller,
      a.category AS auction_category, a.extra AS auction_extra
    FROM bids AS b JOIN auctions AS a ON b.auction = a.id WHERE a.category = 10`,
  q21: `SELECT * FROM (SELECT auction, bidder, price, channel, multiIf(lower(channel) = 'apple', '0',
      lower(channel) = 'google', '1', lower(channel) = 'facebook', '2', lower(channel) = 'baidu', '3',
      extract(url, '(?:&|^)channel_id=([^&]*)')) AS channel_id FROM bids) WHERE channel_id != ''`,
  q22: `SELECT auction, bidder, price, channel, splitByChar('/', url)[4] AS dir1, splitByChar('/', url)[5] AS dir2,
      splitByChar('/', url)[6] AS dir3 FROM bids`,
  q23: `SELECT a.id AS auction_id, b.bidder AS bidder, b.price AS price, b.date_time AS date_time, p.name AS name,
      p.state AS state
    FROM bids AS b JOIN people AS p ON p.id = b.bidder JOIN auctions AS a ON a.seller = b.bidder`,
};
