import type { FeatureVector } from '../../../../schemas/index.ts';
import { formatValue } from '../../format/index.ts';

interface SawProps {
  readonly saw: FeatureVector;
  /** The sentence before it says all of it already. */
  readonly isSaid: boolean;
}

/** The values that a rule saw. */
export function Saw({ saw, isSaid }: SawProps) {
  const entries = Object.entries(saw);
  if (isSaid || entries.length === 0) return null;
  return (
    <span className="saw">
      It saw{' '}
      {entries.map(([name, value], index) => (
        <span key={name}>
          {index > 0 && ', '}
          <code>
            {name} = {formatValue(value)}
          </code>
        </span>
      ))}
      .
    </span>
  );
}
