import { useEffect } from 'react';
import { useStore } from '../../api/index.ts';
import { Empty, Panel, Scroll } from '../../components/index.ts';
import { liveStore, setLiveFilter } from '../../live/index.ts';
import { StreamRow } from '../live/StreamRow.tsx';

const shownRows = 30;

/** What comes in of one subject while the page is open. */
export function Trail({ subject, tenant }: { readonly subject: string; readonly tenant: string }) {
  const { rows } = useStore(liveStore);
  useEffect(() => {
    setLiveFilter({ kinds: null, tenant, subject });
    return () => setLiveFilter({ kinds: null, tenant: null, subject: null });
  }, [subject, tenant]);
  const own = rows.filter(({ message }) => message.kind !== 'dead' && message.subject === subject);
  return (
    <Panel title="Live" note="of this subject, newest first">
      {own.length === 0 ? (
        <Empty title="Nothing since this page was opened" />
      ) : (
        <Scroll label="Live stream of this subject, newest first" className="stream stream-short">
          <ol>
            {own.slice(0, shownRows).map((row) => (
              <StreamRow key={row.key} row={row} hasTenants={false} />
            ))}
          </ol>
        </Scroll>
      )}
    </Panel>
  );
}
