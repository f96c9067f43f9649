package mach.bench;

/**
 * The seeded Nexmark stream. Reading an event fills the fields of its kind; text that no query of the run reads is not made
 * ({@link #Generator wantsText}), but its random numbers are drawn where others follow them.
 */
final class Generator {
  static final int PERSON = 0;
  static final int AUCTION = 1;
  static final int BID = 2;

  private static final long FIRST_TIME = 1436918400000L;
  private static final int FIRST_ID = 1000;
  private static final int POOL_LENGTH = 65536;
  private static final String[] FIRST_NAMES = {
    "Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"
  };
  private static final String[] LAST_NAMES = {
    "Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"
  };
  private static final String[] CITIES = {
    "Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle", "Kent", "Cheyenne"
  };
  private static final String[] STATES = {"AZ", "CA", "ID", "OR", "WA", "WY"};
  private static final String[] HOT_CHANNELS = {"Google", "Facebook", "Baidu", "Apple"};
  private static final int[] POWERS = {1, 10, 100, 1000, 10000, 100000};

  /** Letters and spaces that all text is cut from; wrapped, never copied. */
  static final byte[] POOL = new byte[POOL_LENGTH];

  private static final Text[] HOT_CHANNEL_TEXT = new Text[4];
  private static final Text[] HOT_URLS = new Text[4];
  private static final Text[] CHANNEL_TEXT = new Text[10000];
  private static final Text[] CHANNEL_URLS = new Text[10000];

  static {
    Generator random = new Generator(0, 10000, 0, true);
    random.state = 0;
    for (int at = 0; at < POOL_LENGTH; at++) {
      POOL[at] = (byte) (random.draw(13) == 0 ? ' ' : 'a' + random.draw(26));
    }
    for (int index = 0; index < 4; index++) {
      random.state = 1000 + index;
      HOT_URLS[index] = Text.of(random.url());
      HOT_CHANNEL_TEXT[index] = Text.of(HOT_CHANNELS[index]);
    }
    for (int index = 0; index < 10000; index++) {
      random.state = 5000 + index;
      String url = random.url();
      if (random.draw(10) > 0) url += "&channel_id=" + Math.abs((long) Integer.reverse(index));
      CHANNEL_URLS[index] = Text.of(url);
      CHANNEL_TEXT[index] = Text.of("channel-" + index);
    }
  }

  private final int seed;
  private final double rate;
  private final int disorder;
  private final boolean wantsText;
  private int state;

  int kind;
  long position;
  long time;
  long id;
  Text name;
  Text email;
  Text card;
  Text city;
  Text usState;
  Text itemName;
  Text description;
  long initialBid;
  long reserve;
  long expires;
  long seller;
  long category;
  long auction;
  long bidder;
  long price;
  Text channel;
  Text url;
  Text extra;

  Generator(int seed, double rate, int disorder, boolean wantsText) {
    this.seed = seed;
    this.rate = rate;
    this.disorder = disorder;
    this.wantsText = wantsText;
  }

  /** Number of the event at a position of the stream. */
  long numberAt(long at) {
    return disorder > 1 ? at / disorder * disorder + at * 953 % disorder : at;
  }

  static int kindOf(long number) {
    int rest = (int) (number % 50);
    return rest == 0 ? PERSON : rest < 4 ? AUCTION : BID;
  }

  void read(long at) {
    long number = numberAt(at);
    position = at;
    kind = kindOf(number);
    time = timeOf(number);
    seek(number);
    if (kind == BID) readBid(number);
    else if (kind == AUCTION) readAuction(number);
    else readPerson(number);
  }

  private void readPerson(long number) {
    id = number / 50 + FIRST_ID;
    if (!wantsText) return;
    name = Text.of(FIRST_NAMES[draw(11)] + " " + LAST_NAMES[draw(9)]);
    email = Text.of(word(7) + "@" + word(5) + ".com");
    card = Text.of(four(draw(10000)) + " " + four(draw(10000)) + " " + four(draw(10000)) + " " + four(draw(10000)));
    city = Text.of(CITIES[draw(10)]);
    usState = Text.of(STATES[draw(6)]);
    extra = extra(8 + name.length + email.length + card.length + city.length + usState.length, 200);
  }

  private void readAuction(long number) {
    id = lastAuction(number) + FIRST_ID;
    seller = (draw(4) > 0 ? number / 50 / 100 * 100 : nextPerson(number)) + FIRST_ID;
    category = 10 + draw(5);
    initialBid = price();
    expires = time + 1 + draw((int) Math.max(2 * (timeOf(number + 1666) - timeOf(number)), 1));
    if (!wantsText) return;
    itemName = str(20);
    description = str(100);
    reserve = initialBid + price();
    extra = extra(8 + itemName.length + description.length + 48, 500);
  }

  private void readBid(long number) {
    long last = lastAuction(number);
    if (draw(2) > 0) {
      auction = last / 100 * 100 + FIRST_ID;
    } else {
      long least = Math.max(last - 100, 0);
      auction = least + draw((int) (last - least + 11)) + FIRST_ID;
    }
    bidder = (draw(4) > 0 ? number / 50 / 100 * 100 + 1 : nextPerson(number)) + FIRST_ID;
    price = price();
    if (!wantsText) return;
    if (draw(2) > 0) {
      int index = draw(4);
      channel = HOT_CHANNEL_TEXT[index];
      url = HOT_URLS[index];
    } else {
      int index = draw(10000);
      channel = CHANNEL_TEXT[index];
      url = CHANNEL_URLS[index];
    }
    extra = extra(32, 100);
  }

  private long timeOf(long number) {
    return FIRST_TIME + (long) Math.floor(number * 1e6 / rate / 1000);
  }

  private static long lastAuction(long number) {
    long epoch = number / 50;
    long offset = number % 50;
    if (offset < 1) return (epoch - 1) * 3 + 2;
    return epoch * 3 + (offset >= 4 ? 2 : offset - 1);
  }

  private long nextPerson(long number) {
    long people = number / 50 + 1;
    int active = (int) Math.min(people, 1000);
    return people - active + draw(active + 10);
  }

  private long price() {
    int decade = draw(6);
    long base = 10000 + draw(90000);
    return base * POWERS[decade] / 100;
  }

  private Text str(int max) {
    int length = 3 + draw(max - 3);
    return new Text(POOL, draw(POOL_LENGTH - max), length);
  }

  private Text extra(int size, int wanted) {
    if (size > wanted) return Text.EMPTY;
    int rest = wanted - size;
    int delta = (int) Math.floor(rest * 0.2 + 0.5);
    int length = rest - delta + (delta > 0 ? draw(2 * delta) : 0);
    return new Text(POOL, draw(POOL_LENGTH - 1024), length);
  }

  private String word(int length) {
    int offset = draw(POOL_LENGTH - length);
    char[] letters = new char[length];
    for (int at = 0; at < length; at++) letters[at] = POOL[offset + at] == ' ' ? '_' : (char) POOL[offset + at];
    return new String(letters);
  }

  private String url() {
    return "https://www.nexmark.com/" + word(5) + "/" + word(5) + "/" + word(5) + "/item.htm?query=1";
  }

  private static String four(int digits) {
    String text = Integer.toString(digits);
    return "0000".substring(text.length()) + text;
  }

  private void seek(long number) {
    int a = seed ^ (int) number * 0x9E3779B1 ^ (int) (number >>> 32) * 0x85EBCA77;
    a ^= a >>> 16;
    a *= 0x7feb352d;
    a ^= a >>> 15;
    a *= 0x846ca68b;
    state = a ^ a >>> 16;
  }

  private int draw(int below) {
    state += 0x6D2B79F5;
    int t = (state ^ state >>> 15) * (1 | state);
    t = t + (t ^ t >>> 7) * (61 | t) ^ t;
    return (int) (((t ^ t >>> 14) & 0xFFFFFFFFL) * 0x1p-32 * below);
  }
}
