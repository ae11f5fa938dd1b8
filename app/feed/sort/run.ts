import { type FileHandle, open, unlink } from 'node:fs/promises';

/** One record to be sorted: by key, ties by the order in which they came. */
export interface SortRecord {
  readonly key: number;
  readonly sequence: number;
  readonly payload: Buffer;
}

/** Key and sequence as doubles, the payload's length as 32 bits. */
export const headerBytes = 20;

const blockBytes = 64 * 1024;

export function isBefore(a: SortRecord, b: SortRecord): boolean {
  return a.key < b.key || (a.key === b.key && a.sequence < b.sequence);
}

/**
 * A sorted run on disk. Its file has lost its name before the first byte is written: the kernel frees it when the
 * process ends, however that happens, so nothing is left behind even by a SIGKILL.
 */
export class RunWriter {
  private readonly block = Buffer.allocUnsafe(blockBytes);
  private filled = 0;
  private written = 0;

  private readonly file: FileHandle;

  private constructor(file: FileHandle) {
    this.file = file;
  }

  static async create(path: string): Promise<RunWriter> {
    const file = await open(path, 'wx+', 0o600);
    await unlink(path);
    return new RunWriter(file);
  }

  get bytes(): number {
    return this.written + this.filled;
  }

  async write(key: number, sequence: number, payload: Buffer): Promise<void> {
    if (this.filled + headerBytes > blockBytes) await this.flush();
    this.filled = this.block.writeDoubleLE(key, this.filled);
    this.filled = this.block.writeDoubleLE(sequence, this.filled);
    this.filled = this.block.writeUInt32LE(payload.length, this.filled);
    if (this.filled + payload.length > blockBytes) await this.flush();
    if (payload.length > blockBytes) await this.append(payload);
    else this.filled += payload.copy(this.block, this.filled);
  }

  /** The finished run. The file is closed with the reader. */
  async finish(): Promise<RunReader> {
    await this.flush();
    return new RunReader(this.file, this.written);
  }

  abandon(): Promise<void> {
    return this.file.close();
  }

  private async flush(): Promise<void> {
    const { filled } = this;
    this.filled = 0;
    await this.append(this.block.subarray(0, filled));
  }

  private async append(bytes: Buffer): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.file.write(bytes, done, bytes.length - done, this.written);
      done += bytesWritten;
      this.written += bytesWritten;
    }
  }
}

/** Reads a run from its beginning, a block at a time. */
export class RunReader {
  private buffer = Buffer.alloc(0);
  private from = 0;
  private position = 0;
  private readonly file: FileHandle;
  readonly bytes: number;

  constructor(file: FileHandle, bytes: number) {
    this.file = file;
    this.bytes = bytes;
  }

  /** The next record if it is in memory already; null: call `read`. Its payload is a view, valid for good. */
  peeked(): SortRecord | null {
    const left = this.buffer.length - this.from;
    if (left < headerBytes) return null;
    const length = this.buffer.readUInt32LE(this.from + 16);
    if (left < headerBytes + length) return null;
    const start = this.from + headerBytes;
    const record = {
      key: this.buffer.readDoubleLE(this.from),
      sequence: this.buffer.readDoubleLE(this.from + 8),
      payload: this.buffer.subarray(start, start + length),
    };
    this.from = start + length;
    return record;
  }

  /** The next record, or null at the end. */
  async read(): Promise<SortRecord | null> {
    for (;;) {
      const record = this.peeked();
      if (record !== null) return record;
      if (this.position >= this.bytes) return null;
      await this.fill();
    }
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private async fill(): Promise<void> {
    const rest = this.buffer.subarray(this.from);
    const wanted =
      rest.length >= headerBytes
        ? Math.max(blockBytes, headerBytes + rest.readUInt32LE(16) - rest.length)
        : blockBytes;
    const next = Buffer.allocUnsafe(rest.length + Math.min(wanted, this.bytes - this.position));
    rest.copy(next);
    for (let filled = rest.length; filled < next.length; ) {
      const { bytesRead } = await this.file.read(next, filled, next.length - filled, this.position);
      if (bytesRead === 0) throw new Error('a temporary file of the sort ended too early');
      filled += bytesRead;
      this.position += bytesRead;
    }
    this.buffer = next;
    this.from = 0;
  }
}
