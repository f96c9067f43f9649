-- bid auction bidder price
-- person id name state
-- auction id seller
SELECT A.id, A.seller, B.bidder, B.price, B.`dateTime`, P.name, P.state
FROM bid AS B
JOIN person AS P ON P.id = B.bidder
JOIN auction AS A ON A.seller = B.bidder
