import { asSubjectId, partitionOf, rawIdOf } from '../../core/index.ts';

/** A key of one partition that belongs to subjects, taken apart. */
export interface SubjectKey {
  readonly partition: number;
  /** `timers` holds many subjects of a tenant, `answer` names none: its value does. */
  readonly kind: 'state' | 'cap' | 'inbox' | 'pushed' | 'answer' | 'timers';
  /** Of blobs and timers. */
  readonly generation: number;
  /** What stands behind the kind. */
  readonly rest: string;
}

const pattern = /^\{events\.v(\d+):(\d+)\}:(state|cap|inbox|pushed|idem|timers)(?:@(\d+))?:(.*)$/s;

/** null: the key is none of subjects, or of another version of the log. */
export function readKey(name: string, version: number): SubjectKey | null {
  const found = pattern.exec(name);
  if (found === null || Number(found[1]) !== version) return null;
  const kind = found[3] === 'idem' ? 'answer' : (found[3] as SubjectKey['kind']);
  return {
    partition: Number(found[2]),
    kind,
    generation: Number(found[4] ?? 0),
    rest: found[5] ?? '',
  };
}

/** `<tenant>:<subject>`; null: it is a share of a partition in what all subjects share (stream/shared/groups.ts). */
export function subjectIn(rest: string): string | null {
  const subject = rest.slice(rest.indexOf(':') + 1);
  return subject.startsWith('i:') ? null : subject;
}

export const partitionOfSubject = (subject: string, partitions: number): number =>
  partitionOf(rawIdOf(asSubjectId(subject)), partitions);

/** The texts of a MessagePack list: payload, resolution and `<tenant>:<subject>` of an answer (state/redis/request.lua). */
export function textsIn(bytes: Buffer): string[] {
  const texts: string[] = [];
  let at = 1;
  for (let left = (bytes[0] ?? 0) & 0x0f; left > 0; left--) {
    const kind = bytes[at] ?? 0;
    let length = kind & 0x1f;
    at += 1;
    if (kind === 0xd9) {
      length = bytes.readUInt8(at);
      at += 1;
    } else if (kind === 0xda) {
      length = bytes.readUInt16BE(at);
      at += 2;
    } else if (kind === 0xdb) {
      length = bytes.readUInt32BE(at);
      at += 4;
    }
    texts.push(bytes.toString('utf8', at, at + length));
    at += length;
  }
  return texts;
}

/** Whom an answer is for; of those from before that was written down, whom its decision is for. */
export function subjectOfAnswer(bytes: Buffer): string {
  const [payload = '{}', , member] = textsIn(bytes);
  if (member !== undefined) return member.slice(member.indexOf(':') + 1);
  return (JSON.parse(payload) as { record: { subject: string } }).record.subject;
}
