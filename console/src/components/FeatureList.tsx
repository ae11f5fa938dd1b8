import type { FeatureValue, FeatureVector } from '../../../schemas/index.ts';
import { formatNumber, formatValue, isList } from '../format/index.ts';
import { Name } from './Name.tsx';

const mostBars = 8;

/** Feature values by name; maps as small bars, missing ones said to be so. */
export const FeatureList = ({ features }: { readonly features: FeatureVector }) => (
  <dl className="pairs pairs-features">
    {Object.entries(features).map(([name, value]) => (
      <div key={name} className={value === null ? 'is-missing' : ''}>
        <dt>
          <Name of={name} />
        </dt>
        <dd>
          <Value value={value} />
        </dd>
      </div>
    ))}
  </dl>
);

function Value({ value }: { readonly value: FeatureValue }) {
  if (typeof value !== 'object' || value === null) return formatValue(value);
  if (isList(value)) {
    if (value.length === 0) return '(none)';
    return (
      <span className="list-value">
        {value.map((entry, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the same entry may come twice; place is its identity.
          <code key={index}>{entry}</code>
        ))}
      </span>
    );
  }
  return <Bars map={value} />;
}

function Bars({ map }: { readonly map: Readonly<Record<string, number>> }) {
  const entries = Object.entries(map).sort(([, a], [, b]) => b - a);
  if (entries.length === 0) return '(none)';
  const highest = Math.max(...entries.map(([, value]) => Math.abs(value)), 0);
  const rest = entries.length - mostBars;
  return (
    <span className="bars">
      {entries.slice(0, mostBars).map(([key, value]) => (
        <span key={key} className="bars-row">
          <span className="bars-key">{key}</span>
          <span className="bar" aria-hidden="true">
            <span style={{ width: `${highest === 0 ? 0 : (Math.abs(value) / highest) * 100}%` }} />
          </span>
          <span className="bars-value">{formatNumber(value)}</span>
        </span>
      ))}
      {rest > 0 && <span className="quiet">and {rest} more</span>}
    </span>
  );
}
