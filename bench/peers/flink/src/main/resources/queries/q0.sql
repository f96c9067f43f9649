-- bid auction bidder price extra
SELECT auction, bidder, price, `dateTime`, extra FROM bid
