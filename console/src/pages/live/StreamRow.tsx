import { memo } from 'react';
import { Id, SimulatedTag, Tag, Time } from '../../components/index.ts';
import { describe, type LiveRow, type RowMessage, rowKinds } from '../../live/index.ts';
import { Link, paths } from '../../router.tsx';

interface StreamRowProps {
  readonly row: LiveRow;
  readonly hasTenants: boolean;
}

const names = new Map(rowKinds.map(({ kind, one }) => [kind, one]));

/** One thing that happened. Rows never change, so each is drawn once. */
export const StreamRow = memo(({ row, hasTenants }: StreamRowProps) => {
  const { message } = row;
  const { main, rest } = describe(message);
  const decision = decisionOf(message);
  return (
    <li className={`stream-row ${'simulated' in message && !message.simulated ? 'is-real' : ''}`}>
      <span className="stream-time">
        <Time at={message.at} as="ms" />
      </span>
      <span className="stream-kind">
        <span className={`dot dot-${message.kind}`} aria-hidden="true" />
        {names.get(message.kind)}
      </span>
      <span className="stream-subject">
        {message.kind === 'dead' ? (
          <span className="quiet">no subject</span>
        ) : (
          <Id id={message.subject} to={paths.subject(message.subject, message.tenant)} />
        )}
      </span>
      <span className="stream-text">
        {hasTenants && message.kind !== 'dead' && <Tag>{message.tenant}</Tag>}
        {main !== '' &&
          (decision === null ? (
            <b>{main}</b>
          ) : (
            <Link
              to={paths.decision(decision)}
              className={isNothing(message) ? 'stream-main is-nothing' : 'stream-main'}
            >
              {main}
            </Link>
          ))}{' '}
        <span className="stream-rest">{rest}</span>
      </span>
      <span className="stream-tag">
        {'simulated' in message && message.simulated && <SimulatedTag isShort />}
      </span>
    </li>
  );
});

const isNothing = (message: RowMessage): boolean => message.kind === 'decision' && message.action === null;

function decisionOf(message: RowMessage): string | null {
  switch (message.kind) {
    case 'decision':
      return message.id;
    case 'pushed':
    case 'exposure':
    case 'outcome':
      return message.decision;
    case 'features':
    case 'event':
    case 'dead':
      return null;
  }
}
