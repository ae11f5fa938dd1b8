import { useEffect, useRef } from 'react';
import type { DecisionList } from '../../../../schemas/index.ts';
import { useStore } from '../../api/index.ts';
import { counted } from '../../format/index.ts';
import { liveStore } from '../../live/index.ts';

interface NewerProps {
  readonly loaded: DecisionList;
  readonly filters: Readonly<Record<string, string | null>>;
  readonly onShow: () => void;
}

/** How many decisions were made since the list was read. It never moves by itself under a reader's eyes. */
export function Newer({ loaded, filters, onShow }: NewerProps) {
  const { counts } = useStore(liveStore);
  const base = useRef({ loaded, count: counts.decision });
  useEffect(() => {
    base.current = { loaded, count: liveStore.get().counts.decision };
  }, [loaded]);
  const newer = base.current.loaded === loaded ? counts.decision - base.current.count : 0;
  const isFiltered = Object.values(filters).some((value) => value !== null);
  return (
    <button type="button" className="button" onClick={onShow}>
      {newer > 0
        ? `Show ${counted(newer, isFiltered ? 'newer decision (any filter)' : 'newer decision')}`
        : 'Refresh'}
    </button>
  );
}
