import { shortId } from '../format/index.ts';
import { Link } from '../router.tsx';

interface IdProps {
  readonly id: string;
  readonly to?: string;
  /** Longest length in characters. */
  readonly length?: number;
}

/** An id in a row: shortened by text, whole in its title. */
export function Id({ id, to, length = 18 }: IdProps) {
  const text = shortId(id, length);
  if (to === undefined) {
    return (
      <span className="mono" title={id}>
        {text}
      </span>
    );
  }
  return (
    <Link to={to} className="mono" title={id}>
      {text}
    </Link>
  );
}
