package w1;

import java.nio.ByteBuffer;

/**
 * One user's 20 features as bytes: the newest event time, then for each of the four windows the buckets that saw an
 * event, oldest first. Only what lies in a window before the user's own newest event counts, whatever the order.
 */
final class State {
  static final long[] BUCKET_MS = {5_000, 15_000, 60_000, 3_600_000};
  static final int[] BUCKETS = {12, 20, 60, 24};
  /** Columns of a bucket: its number, events, clicks, spent (quarters), purchases, greatest price (quarters). */
  static final int COLUMNS = 6;

  static int mostIds;

  long newest = Long.MIN_VALUE;
  /** 64-bit hashes of the ids seen last, oldest first. */
  final long[] ids = new long[mostIds + 1];
  int idCount;
  final long[][] rings = new long[4][];
  final int[] sizes = new int[4];

  State() {
    for (int w = 0; w < 4; w++) rings[w] = new long[(BUCKETS[w] + 2) * COLUMNS];
  }

  /** Used again for the next event of the same task. */
  void read(byte[] bytes) {
    if (bytes == null) {
      newest = Long.MIN_VALUE;
      idCount = 0;
      for (int w = 0; w < 4; w++) sizes[w] = 0;
      return;
    }
    ByteBuffer in = ByteBuffer.wrap(bytes);
    newest = in.getLong();
    for (int w = 0; w < 4; w++) {
      int size = in.get();
      sizes[w] = size;
      long[] ring = rings[w];
      for (int i = 0, at = 0; i < size; i++, at += COLUMNS) {
        ring[at] = in.getInt();
        ring[at + 1] = in.getInt();
        ring[at + 2] = in.getInt();
        ring[at + 3] = in.getLong();
        ring[at + 4] = in.getInt();
        ring[at + 5] = in.getInt();
      }
    }
    idCount = in.remaining() / 8;
    in.asLongBuffer().get(ids, 0, idCount);
  }

  byte[] write() {
    int entries = 0;
    for (int size : sizes) entries += size;
    ByteBuffer out = ByteBuffer.allocate(8 + 4 + entries * 28 + idCount * 8);
    out.putLong(newest);
    for (int w = 0; w < 4; w++) {
      out.put((byte) sizes[w]);
      long[] ring = rings[w];
      for (int i = 0, at = 0; i < sizes[w]; i++, at += COLUMNS) {
        out.putInt((int) ring[at]);
        out.putInt((int) ring[at + 1]);
        out.putInt((int) ring[at + 2]);
        out.putLong(ring[at + 3]);
        out.putInt((int) ring[at + 4]);
        out.putInt((int) ring[at + 5]);
      }
    }
    out.asLongBuffer().put(ids, 0, idCount);
    return out.array();
  }

  /** Remembers an event id; false if it is one of those remembered. */
  boolean isNew(String id) {
    if (mostIds == 0) return true;
    long hash = 0xcbf29ce484222325L;
    for (int i = 0; i < id.length(); i++) hash = (hash ^ id.charAt(i)) * 0x100000001b3L;
    for (int i = 0; i < idCount; i++) if (ids[i] == hash) return false;
    if (idCount == mostIds) System.arraycopy(ids, 1, ids, 0, --idCount);
    ids[idCount++] = hash;
    return true;
  }

  void add(long time, boolean isClick, boolean isPurchase, int quarters) {
    if (time > newest) newest = time;
    for (int w = 0; w < 4; w++) {
      long bucket = Math.floorDiv(time, BUCKET_MS[w]);
      long oldest = Math.floorDiv(newest, BUCKET_MS[w]) - BUCKETS[w];
      dropUpTo(w, oldest);
      if (bucket <= oldest) continue;
      long[] ring = rings[w];
      int at = placeOf(w, bucket);
      ring[at + 1]++;
      if (isClick) ring[at + 2]++;
      if (isPurchase) {
        ring[at + 3] += quarters;
        ring[at + 4]++;
      }
      if (quarters > ring[at + 5]) ring[at + 5] = quarters;
    }
  }

  private void dropUpTo(int w, long oldest) {
    long[] ring = rings[w];
    int gone = 0;
    while (gone < sizes[w] && ring[gone * COLUMNS] <= oldest) gone++;
    if (gone == 0) return;
    System.arraycopy(ring, gone * COLUMNS, ring, 0, (sizes[w] - gone) * COLUMNS);
    sizes[w] -= gone;
  }

  private int placeOf(int w, long bucket) {
    long[] ring = rings[w];
    int i = sizes[w] - 1;
    while (i >= 0 && ring[i * COLUMNS] > bucket) i--;
    if (i >= 0 && ring[i * COLUMNS] == bucket) return i * COLUMNS;
    int at = (i + 1) * COLUMNS;
    System.arraycopy(ring, at, ring, at + COLUMNS, (sizes[w] - i - 1) * COLUMNS);
    ring[at] = bucket;
    for (int c = 1; c < COLUMNS; c++) ring[at + c] = 0;
    sizes[w]++;
    return at;
  }

  /** `newest,count x 4,clicks x 4,spent x 4,purchases x 4,max x 4`, as the reference writes it. */
  String vector() {
    long[][] columns = new long[5][4];
    for (int w = 0; w < 4; w++) {
      long oldest = Math.floorDiv(newest, BUCKET_MS[w]) - BUCKETS[w];
      long[] ring = rings[w];
      for (int at = 0; at < sizes[w] * COLUMNS; at += COLUMNS) {
        if (ring[at] <= oldest) continue;
        for (int c = 0; c < 4; c++) columns[c][w] += ring[at + 1 + c];
        columns[4][w] = Math.max(columns[4][w], ring[at + 5]);
      }
    }
    StringBuilder text = new StringBuilder().append(newest);
    for (long[] column : columns) for (long value : column) text.append(',').append(value);
    return text.toString();
  }
}
