import { createRequire } from 'node:module';
import { gunzipSync } from 'node:zlib';
import { decompress as zstdDecompress } from 'fzstd';
import { PresageError } from '../../../core/index.ts';

/** The codec of a record batch: the low three bits of its attributes. */
export const codecMask = 0x07;

// Neither package tells its types.
const require = createRequire(import.meta.url);
const snappy = require('snappyjs') as { uncompress(bytes: Buffer, mostBytes: number): Buffer };
const lz4 = require('lz4js') as { decompress(bytes: Uint8Array, mostBytes?: number): Uint8Array };

/** Far above what a producer puts into one batch (1 MB): a damaged or hostile length can't take all memory. */
const mostBytes = 256 * 1024 * 1024;

/** The records of a compressed batch. Throws PresageError `log_corrupt` if the codec can't read them. */
export function decompress(codec: number, bytes: Buffer): Buffer {
  try {
    switch (codec) {
      case 1:
        return gunzipSync(bytes, { maxOutputLength: mostBytes });
      case 2:
        return unsnap(bytes);
      case 3:
        return asBuffer(lz4.decompress(bytes));
      case 4:
        return asBuffer(zstdDecompress(bytes));
      default:
        throw new Error(`codec ${codec} is unknown`);
    }
  } catch (cause) {
    throw new PresageError(
      'log_corrupt',
      `A record batch can't be decompressed: ${cause instanceof Error ? cause.message : String(cause)}.`,
      { cause, retriable: true },
    );
  }
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** snappy-java frames its blocks (magic, two versions, then blocks each after its length); others write one raw block. */
const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const xerialHeaderBytes = 16;

function unsnap(bytes: Buffer): Buffer {
  if (bytes.compare(xerialMagic, 0, xerialMagic.length, 0, xerialMagic.length) !== 0)
    return snappy.uncompress(bytes, mostBytes);
  const blocks: Buffer[] = [];
  let at = xerialHeaderBytes;
  while (at < bytes.length) {
    const size = bytes.readInt32BE(at);
    at += 4;
    if (size < 0 || at + size > bytes.length) throw new Error('a snappy block is longer than its frame');
    blocks.push(snappy.uncompress(bytes.subarray(at, at + size), mostBytes));
    at += size;
  }
  return blocks.length === 1 && blocks[0] !== undefined ? blocks[0] : Buffer.concat(blocks);
}
