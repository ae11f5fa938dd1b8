import type { FeatureVector } from '../../../../schemas/index.ts';
import { formatValue } from '../../format/index.ts';

interface SawProps {
  readonly saw: FeatureVector;
  /** A cap's numbers stand in the sentence already. */
  readonly isCap: boolean;
}

/** The values that a rule saw. */
export function Saw({ saw, isCap }: SawProps) {
  const entries = Object.entries(saw);
  if (isCap || entries.length === 0) return null;
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
