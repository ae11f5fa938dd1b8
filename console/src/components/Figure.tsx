interface FigureProps {
  readonly label: string;
  readonly value: string;
  readonly unit: string;
  readonly title?: string;
}

/** One headline figure. */
export const Figure = ({ label, value, unit, title }: FigureProps) => (
  <div className="figure" title={title}>
    <dt>{label}</dt>
    <dd>
      <span className="figure-value">{value}</span> <span className="figure-unit">{unit}</span>
    </dd>
  </div>
);
