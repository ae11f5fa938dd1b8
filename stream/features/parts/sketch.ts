import {
  type Reader,
  readByte,
  readCount,
  readVarint,
  unreadable,
  type Writer,
  writeByte,
  writeVarint,
} from './bytes.ts';
import { hashed, hashText } from './hash.ts';

/**
 * HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007) over 64-bit hashes, sparse while few registers are set as in
 * HyperLogLog++ (Heule, Nunkesser, Hall 2013). Registers are kept as a sorted list of `index * 64 + rank`, or, when an
 * eighth of them are set, as one byte each. A sketch is the greatest rank seen by each register, so it depends on the
 * set of values only, and two merge without loss.
 */
export type Sketch = number[] | Uint8Array;

const isSparse = (sketch: Sketch): sketch is number[] => Array.isArray(sketch);

/** The sketch with a text added: itself, or a dense one in its place. */
export function addText(sketch: Sketch, text: string, precision: number): Sketch {
  hashText(text);
  const index = hashed.high >>> (32 - precision);
  const rest = hashed.high << precision;
  const rank = rest !== 0 ? Math.clz32(rest) + 1 : 33 - precision + Math.clz32(hashed.low);
  return raise(sketch, index, rank, precision);
}

function raise(sketch: Sketch, index: number, rank: number, precision: number): Sketch {
  if (!isSparse(sketch)) {
    if (rank > (sketch[index] ?? 0)) sketch[index] = rank;
    return sketch;
  }
  let from = 0;
  let to = sketch.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((sketch[middle] ?? 0) >>> 6 < index) from = middle + 1;
    else to = middle;
  }
  const entry = index * 64 + rank;
  const known = sketch[from];
  if (known !== undefined && known >>> 6 === index) {
    if (entry > known) sketch[from] = entry;
    return sketch;
  }
  sketch.splice(from, 0, entry);
  if (sketch.length <= 2 ** precision / 8) return sketch;
  const dense = new Uint8Array(2 ** precision);
  raiseAll(dense, sketch);
  return dense;
}

/** Raises every register of a dense sketch to another's. */
export function raiseAll(dense: Uint8Array, other: Sketch): void {
  if (isSparse(other)) {
    for (const entry of other) {
      const index = entry >>> 6;
      const rank = entry & 63;
      if (rank > (dense[index] ?? 0)) dense[index] = rank;
    }
    return;
  }
  for (let i = 0; i < other.length; i++) if ((other[i] ?? 0) > (dense[i] ?? 0)) dense[i] = other[i] ?? 0;
}

/** The sketch of both sets of values. */
export function mergeSketches(into: Sketch, from: Sketch, precision: number): Sketch {
  let whole = into;
  if (isSparse(from)) for (const entry of from) whole = raise(whole, entry >>> 6, entry & 63, precision);
  else {
    const dense = Uint8Array.from(from);
    raiseAll(dense, into);
    whole = dense;
  }
  return whole;
}

/**
 * How many different values a dense sketch has seen, by Ertl's improved estimator (New cardinality estimation
 * algorithms for HyperLogLog sketches, 2017, algorithm 6): no tables, no thresholds, standard error 1.04 / sqrt(m).
 */
export function estimate(dense: Uint8Array): number {
  const m = dense.length;
  const q = 64 - Math.log2(m);
  const counts = new Array<number>(q + 2).fill(0);
  for (const rank of dense) counts[rank] = (counts[rank] ?? 0) + 1;
  let z = m * tau(1 - (counts[q + 1] ?? 0) / m);
  for (let k = q; k >= 1; k--) z = 0.5 * (z + (counts[k] ?? 0));
  z += m * sigma((counts[0] ?? 0) / m);
  return (m * m) / (2 * Math.LN2 * z);
}

function sigma(empty: number): number {
  if (empty === 1) return Infinity;
  let x = empty;
  let y = 1;
  let z = x;
  for (let before = -1; z !== before; ) {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  }
  return z;
}

function tau(below: number): number {
  if (below === 0 || below === 1) return 0;
  let x = below;
  let y = 1;
  let z = 1 - x;
  for (let before = -1; z !== before; ) {
    x = Math.sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) ** 2 * y;
  }
  return z / 3;
}

/** Six bits a register, or the registers that are set where that is shorter, after their number + 1 (0: dense). */
export function writeSketch(writer: Writer, sketch: Sketch, precision: number): void {
  const m = 2 ** precision;
  let set = 0;
  if (isSparse(sketch)) set = sketch.length;
  else for (const rank of sketch) if (rank > 0) set++;
  if (set * 8 < m * 3) {
    writeVarint(writer, set + 1);
    let previous = -1;
    eachSet(sketch, (index, rank) => {
      writeVarint(writer, index - previous - 1);
      writeByte(writer, rank);
      previous = index;
    });
    return;
  }
  writeByte(writer, 0);
  const registers = isSparse(sketch) ? new Uint8Array(m) : sketch;
  if (isSparse(sketch)) raiseAll(registers, sketch);
  for (let i = 0; i < m; i += 4) {
    const [a = 0, b = 0, c = 0, d = 0] = registers.subarray(i, i + 4);
    writeByte(writer, a | ((b & 3) << 6));
    writeByte(writer, (b >> 2) | ((c & 15) << 4));
    writeByte(writer, (c >> 4) | (d << 2));
  }
}

function eachSet(sketch: Sketch, use: (index: number, rank: number) => void): void {
  if (isSparse(sketch)) for (const entry of sketch) use(entry >>> 6, entry & 63);
  else for (let i = 0; i < sketch.length; i++) if ((sketch[i] ?? 0) > 0) use(i, sketch[i] ?? 0);
}

export function readSketch(reader: Reader, precision: number): Sketch {
  const m = 2 ** precision;
  const most = 65 - precision;
  const check = (rank: number, least: number): number => {
    if (rank < least || rank > most) unreadable('a register has an impossible rank', reader.at);
    return rank;
  };
  const set = readCount(reader, 1);
  if (set === 0) {
    const dense = new Uint8Array(m);
    for (let i = 0; i < m; i += 4) {
      const a = readByte(reader);
      const b = readByte(reader);
      const c = readByte(reader);
      dense[i] = check(a & 63, 0);
      dense[i + 1] = check((a >> 6) | ((b & 15) << 2), 0);
      dense[i + 2] = check((b >> 4) | ((c & 3) << 4), 0);
      dense[i + 3] = check(c >> 2, 0);
    }
    return dense;
  }
  let sketch: Sketch = [];
  let index = -1;
  for (let i = 1; i < set; i++) {
    index += readVarint(reader) + 1;
    if (index >= m) unreadable('a register lies outside its sketch', reader.at);
    sketch = raise(sketch, index, check(readByte(reader), 1), precision);
  }
  return sketch;
}
