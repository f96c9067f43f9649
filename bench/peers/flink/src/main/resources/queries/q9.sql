-- auction id itemName description initialBid reserve expires seller category extra
-- bid auction bidder price extra
SELECT id, itemName, description, initialBid, reserve, auctionTime, expires, seller, category, auctionExtra,
  auction, bidder, price, bidTime, bidExtra
FROM (
  SELECT A.id, A.itemName, A.description, A.initialBid, A.reserve, A.`dateTime` AS auctionTime, A.expires, A.seller,
    A.category, A.extra AS auctionExtra, B.auction, B.bidder, B.price, B.`dateTime` AS bidTime, B.extra AS bidExtra,
    ROW_NUMBER() OVER (PARTITION BY A.id ORDER BY B.price DESC, B.`dateTime` ASC, B.`position` ASC) AS rownum
  FROM auction A, bid B
  WHERE A.id = B.auction AND B.`dateTime` BETWEEN A.`dateTime` AND A.expires
)
WHERE rownum <= 1
