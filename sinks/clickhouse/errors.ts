import { messageOf, PresageError } from '../../core/index.ts';

/** ClickHouse error codes that say that rows themselves can't be read or stored. */
const unreadableRows = new Set([6, 16, 25, 26, 27, 33, 38, 41, 49, 53, 60, 62, 69, 70, 72, 117]);
const noSpace = 243;
const timeIsUp = 159;
const memoryIsFull = 241;
const resultTooLarge = 396;
const unknownTable = 60;

/** ClickHouse's numeric code of an error of the client or of chdb; null where there is none (a broken connection). */
export function clickhouseCodeOf(error: unknown): number | null {
  const { code, clickhouseCode } = error as { code?: unknown; clickhouseCode?: unknown };
  const found = Number(clickhouseCode ?? code);
  if (Number.isInteger(found) && found > 0) return found;
  const inText = /^Code: (\d+)\./.exec(messageOf(error));
  return inText === null ? null : Number(inText[1]);
}

const noise =
  /\n|: While executing |: while executing |: In scope | in scope |: \(while reading |: \(at row |\(version |,? ?Stack trace| Expected one of: |\. Untracked memory|: \(in file/;
const longest = 300;

/** ClickHouse's message as one sentence: no code, stack, version, scope or list of all possible tokens. */
export function sentenceOf(message: string): string {
  const plain = message.replace(/^Code: \d+\. /, '').replace(/^DB::Exception: /, '');
  const hint = /Maybe you meant:? (?:\[([^\]]+)\]|([\w.]+))/.exec(plain);
  const head = (plain.split(noise, 1)[0] ?? '').replace(/Maybe you meant.*$/, '').trim();
  const short = head.length > longest ? `${head.slice(0, longest)}…` : head;
  const said = short.replace(/[.:,\s]+$/, '');
  const meant = hint?.[1] ?? hint?.[2];
  return meant === undefined ? `${said}.` : `${said}. Did you mean ${meant.replace(/\.$/, '')}?`;
}

/** What to tell the author of a query that failed. `limits` are those that the query ran within. */
export function queryError(
  error: unknown,
  limits: { readonly seconds: number; readonly memoryMb: number; readonly resultMb: number },
): PresageError {
  if (error instanceof PresageError) return error;
  const code = clickhouseCodeOf(error);
  if (code === null) return unavailable('answer', error);
  const failed = (message: string): PresageError =>
    new PresageError('sql_failed', message, { cause: error, details: { clickhouseCode: code } });
  if (code === timeIsUp)
    return failed(`The query took longer than ${limits.seconds} s: narrow it, for example by time.`);
  if (code === memoryIsFull)
    return failed(
      `The query needs more than ${limits.memoryMb} MB of memory: aggregate less, or narrow it by time.`,
    );
  if (code === resultTooLarge)
    return failed(
      `The result is larger than ${limits.resultMb} MB or a million rows: add a LIMIT, or aggregate.`,
    );
  const sentence = sentenceOf(messageOf(error));
  return failed(code === unknownTable ? `${sentence} presage sql --tables lists what is there.` : sentence);
}

/** What happened to an insert or a command. */
export function writeError(error: unknown, what: string): PresageError {
  if (error instanceof PresageError) return error;
  const code = clickhouseCodeOf(error);
  const message = messageOf(error);
  if (code === noSpace || /No space left on device|NOT_ENOUGH_SPACE|errno: 28/.test(message)) {
    return new PresageError(
      'no_disk_space',
      `ClickHouse has no disk space left for ${what}: free some; writing goes on by itself.`,
      { retriable: true, cause: error },
    );
  }
  if (code !== null && unreadableRows.has(code)) {
    return new PresageError('insert_refused', `ClickHouse refused ${what}: ${sentenceOf(message)}`, {
      cause: error,
      details: { clickhouseCode: code },
    });
  }
  return unavailable(`take ${what}`, error);
}

function unavailable(doing: string, error: unknown): PresageError {
  return new PresageError(
    'warehouse_unavailable',
    `ClickHouse could not ${doing}: ${sentenceOf(messageOf(error))}`,
    { retriable: true, cause: error, details: { clickhouseCode: clickhouseCodeOf(error) } },
  );
}
