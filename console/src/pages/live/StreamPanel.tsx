import { useEffect, useMemo, useState } from 'react';
import { statusPoll, useStore } from '../../api/index.ts';
import { Empty, Panel, Scroll } from '../../components/index.ts';
import { counted, formatCount } from '../../format/index.ts';
import { type LiveView, liveStore, rowKinds, setLiveFilter } from '../../live/index.ts';
import { setSearch } from '../../router.tsx';
import { Announcer } from './Announcer.tsx';
import { KindFilter, kindsOf } from './KindFilter.tsx';
import { StreamRow } from './StreamRow.tsx';

interface StreamPanelProps {
  readonly tenants: readonly string[];
  readonly tenant: string | null;
  /** As the address has it: names with commas, null = all. */
  readonly kinds: string | null;
  readonly subject: string | null;
}

/** The live stream: newest first, by kind and tenant, held while it is paused or being read. */
export function StreamPanel({ tenants, tenant, kinds, subject }: StreamPanelProps) {
  const live = useStore(liveStore);
  const [isPaused, setPaused] = useState(false);
  const [isReading, setReading] = useState(false);
  const selected = useMemo(() => kindsOf(kinds), [kinds]);

  useEffect(() => {
    setLiveFilter({ kinds: selected, tenant, subject });
    return () => setLiveFilter({ kinds: null, tenant: null, subject: null });
  }, [selected, tenant, subject]);

  const shown = useHeld(live, isPaused || isReading);
  const waiting = live.taken - shown.taken;
  return (
    <Panel
      title="Live stream"
      className="panel-stream"
      note={<Note isPaused={isPaused} isReading={isReading} waiting={waiting} live={live} />}
      tools={
        <button type="button" className="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
          {isPaused ? 'Resume' : 'Pause'}
        </button>
      }
    >
      <div className="stream-filters">
        <KindFilter selected={selected} />
        {tenants.length > 1 && (
          <label className="inline-field">
            <span>Tenant</span>
            <select value={tenant ?? ''} onChange={(event) => setSearch({ tenant: event.target.value })}>
              <option value="">all</option>
              {tenants.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        )}
        {subject !== null && (
          <button type="button" className="chip" onClick={() => setSearch({ subject: null })}>
            only {subject} <span aria-hidden="true">×</span>
            <span className="hidden">, show all subjects</span>
          </button>
        )}
      </div>
      {shown.rows.length === 0 ? (
        <Nothing view={live} isFiltered={selected !== null || subject !== null || tenant !== null} />
      ) : (
        <Scroll
          label="Live stream, newest first"
          className="stream"
          onPointerEnter={(event) => event.pointerType === 'mouse' && setReading(true)}
          onPointerLeave={() => setReading(false)}
          onFocus={() => setReading(true)}
          onBlur={() => setReading(false)}
        >
          <ol>
            {shown.rows.map((row) => (
              <StreamRow key={row.key} row={row} hasTenants={tenants.length > 1} />
            ))}
          </ol>
        </Scroll>
      )}
      <Announcer counts={live.counts} isQuiet={isPaused} />
    </Panel>
  );
}

/** The newest view, or while `isHeld` the one from when it began. */
function useHeld(live: LiveView, isHeld: boolean): LiveView {
  const [held, setHeld] = useState(live);
  if (isHeld) return held;
  if (held !== live) setHeld(live);
  return live;
}

interface NoteProps {
  readonly isPaused: boolean;
  readonly isReading: boolean;
  readonly waiting: number;
  readonly live: LiveView;
}

function Note({ isPaused, isReading, waiting, live }: NoteProps) {
  const more = waiting > 0 ? `, ${formatCount(waiting)} newer` : '';
  if (isPaused) return <span className="held">paused{more}</span>;
  if (isReading) return <span className="held">held while you read{more}</span>;
  if (live.skipped > 0) {
    return (
      <span title="At most 30 rows a second are sent to this page; the figures above and ClickHouse count all.">
        {formatCount(live.skipped)} more not shown
      </span>
    );
  }
  return 'newest first';
}

function Nothing({ view, isFiltered }: { readonly view: LiveView; readonly isFiltered: boolean }) {
  const other = rowKinds.reduce((sum, { kind }) => sum + view.counts[kind], 0);
  const status = useStore(statusPoll);
  if (view.state !== 'live') return <Empty title="Connecting to the live stream…" />;
  if (isFiltered && other > 0) {
    return (
      <Empty title="Nothing of this kind yet">
        {counted(other, 'row')} of other kinds, tenants or subjects went by.{' '}
        <button
          type="button"
          className="button"
          onClick={() => setSearch({ kinds: null, tenant: null, subject: null })}
        >
          Show all
        </button>
      </Empty>
    );
  }
  if ((status.data?.totals.events ?? 0) > 0) {
    return <Empty title="Connected. Waiting for what comes next…" />;
  }
  return (
    <Empty title="Connected. Nothing has come in yet">
      Send an event with any Segment client to this address, play a file with{' '}
      <code>npx presage feed FILE</code>, or let visitors be simulated: <code>npx presage simulate</code>.
    </Empty>
  );
}
