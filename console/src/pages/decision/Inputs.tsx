import type { CapSeen, FeatureVector } from '../../../../schemas/index.ts';
import { FeatureList, Panel } from '../../components/index.ts';
import { formatCount } from '../../format/index.ts';

interface InputsProps {
  readonly title: string;
  readonly note: string;
  readonly values: FeatureVector;
}

/** The values that the decision was made from. */
export function Inputs({ title, note, values }: InputsProps) {
  if (Object.keys(values).length === 0) return null;
  return (
    <Panel title={title} note={note}>
      <FeatureList features={values} />
    </Panel>
  );
}

interface CapTableProps {
  readonly caps: readonly CapSeen[];
  readonly chosen: string | null;
}

/** How full the caps were at the commit, before this decision took from them. */
export function CapTable({ caps, chosen }: CapTableProps) {
  if (caps.length === 0) return null;
  return (
    <Panel title="Caps" note="used / limit at the commit">
      <ul className="caps">
        {caps.map(({ cap, action, used, limit }) => (
          <li key={`${cap} ${action}`} className={used >= limit ? 'is-full' : ''}>
            <span className="cap-name">
              <code>{cap}</code>
              {action === chosen && <span className="quiet"> chosen</span>}
            </span>
            <span className="cap-count">
              {formatCount(used)} / {formatCount(limit)}
              {used >= limit && ' full'}
            </span>
            <span className="bar" aria-hidden="true">
              <span style={{ width: `${Math.min(1, used / Math.max(1, limit)) * 100}%` }} />
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
