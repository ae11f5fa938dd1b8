import type { DecisionRecord } from '../../../../schemas/index.ts';
import { Time } from '../../components/index.ts';

/** What made the engine decide, and when. */
export function StartedBy({ decision }: { readonly decision: DecisionRecord }) {
  const { startedBy, time } = decision;
  if (startedBy.kind === 'request') {
    return (
      <>
        asked for by request{' '}
        <span className="mono" title={startedBy.request}>
          {startedBy.request}
        </span>{' '}
        at <Time at={time} />.
      </>
    );
  }
  if (startedBy.kind === 'timer') {
    return (
      <>
        by trigger <b>{startedBy.trigger}</b>, whose timer was due at <Time at={startedBy.due} />.
      </>
    );
  }
  return (
    <>
      by trigger <b>{startedBy.trigger}</b> on event <b title={startedBy.event}>{startedBy.eventType}</b> at{' '}
      <Time at={time} />.
    </>
  );
}
