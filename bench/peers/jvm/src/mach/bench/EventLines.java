package mach.bench;

import java.io.BufferedOutputStream;
import java.io.PrintStream;

/** The events as JSON, one a line, for the check of the generator. */
final class EventLines {
  private EventLines() {}

  static void print(String[] args) {
    long events = Long.parseLong(args[1]);
    Generator event =
        new Generator(Integer.parseInt(args[2]), Double.parseDouble(args[3]), Integer.parseInt(args[4]), true);
    PrintStream out = new PrintStream(new BufferedOutputStream(System.out, 1 << 20), false);
    for (long at = 0; at < events; at++) {
      event.read(at);
      out.print(line(event));
      out.print('\n');
    }
    out.flush();
  }

  private static String line(Generator event) {
    String tail = ",\"dateTime\":" + event.time;
    String extra = ",\"extra\":\"" + event.extra + "\"}";
    if (event.kind == Generator.BID) {
      return "{\"kind\":\"bid\",\"auction\":" + event.auction + ",\"bidder\":" + event.bidder + ",\"price\":" + event.price
          + ",\"channel\":\"" + event.channel + "\",\"url\":\"" + event.url + '"' + tail + extra;
    }
    if (event.kind == Generator.AUCTION) {
      return "{\"kind\":\"auction\",\"id\":" + event.id + ",\"itemName\":\"" + event.itemName + "\",\"description\":\""
          + event.description + "\",\"initialBid\":" + event.initialBid + ",\"reserve\":" + event.reserve + tail
          + ",\"expires\":" + event.expires + ",\"seller\":" + event.seller + ",\"category\":" + event.category + extra;
    }
    return "{\"kind\":\"person\",\"id\":" + event.id + ",\"name\":\"" + event.name + "\",\"emailAddress\":\"" + event.email
        + "\",\"creditCard\":\"" + event.card + "\",\"city\":\"" + event.city + "\",\"state\":\"" + event.usState + '"'
        + tail + extra;
  }
}
