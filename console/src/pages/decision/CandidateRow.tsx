import type { Candidate, DecisionRecord } from '../../../../schemas/index.ts';
import { formatFactor, formatMoney, formatPercent, nothing } from '../../format/index.ts';
import { Saw } from './Saw.tsx';
import { stageStates, stages, verdictWords } from './verdict.ts';

interface CandidateRowProps {
  readonly candidate: Candidate;
  readonly decision: DecisionRecord;
  /** The highest priority of all: a full bar. */
  readonly highest: number;
  readonly currency: string | null;
}

export function CandidateRow({ candidate, decision, highest, currency }: CandidateRowProps) {
  const { stage, saw } = candidate.verdict;
  const isChosen = stage === 'chosen';
  const words = verdictWords(candidate, decision);
  return (
    <tr className={isChosen ? 'is-chosen' : ''}>
      <td className="number cell-rank">{candidate.rank ?? <span className="rank-none">{nothing}</span>}</td>
      <th scope="row" className="cell-name">
        {candidate.action}
      </th>
      <td className="cell-stages">
        <Stages candidate={candidate} />
      </td>
      <td className="cell-verdict">
        <span>
          {words.before}
          {words.code !== null && <code>{words.code}</code>}
          {words.after}
        </span>
        <Saw
          saw={saw}
          isSaid={stage === 'constraints' || Object.values(saw).every((value) => value === null)}
        />
      </td>
      <td className="cell-priority">
        {candidate.score === undefined ? (
          <span className="quiet">not scored</span>
        ) : (
          <Priority score={candidate.score} highest={highest} currency={currency} />
        )}
      </td>
    </tr>
  );
}

const said = { passed: 'passed', out: 'out here', unreached: 'not reached' } as const;

function Stages({ candidate }: { readonly candidate: Candidate }) {
  const states = stageStates(candidate);
  const label = stages.map(({ name }, index) => `${name}: ${said[states[index] ?? 'unreached']}`).join(', ');
  const out = states.indexOf('out');
  return (
    <span className="stages" role="img" aria-label={label} title={label}>
      <span className="pips">
        {stages.map(({ stage }, index) => (
          <i key={stage} className={`pip pip-${states[index] ?? 'unreached'}`} />
        ))}
      </span>
      <span className="stages-word">{out === -1 ? 'chosen' : stages[out]?.stage}</span>
    </span>
  );
}

interface PriorityProps {
  readonly score: NonNullable<Candidate['score']>;
  readonly highest: number;
  readonly currency: string | null;
}

function Priority({ score, highest, currency }: PriorityProps) {
  const share = highest > 0 ? Math.max(0, Math.min(1, score.priority / highest)) : 0;
  return (
    <div className="priority">
      <div className="priority-line">
        <span className="priority-factors">
          {formatPercent(score.acceptProbability)} × {formatFactor(score.contextWeight)} ×{' '}
          {formatMoney(score.value, currency)} × {formatFactor(score.lever)}
        </span>
        <b className="priority-value">{formatFactor(score.priority)}</b>
      </div>
      <div className="bar" aria-hidden="true">
        <span style={{ width: `${share * 100}%` }} />
      </div>
    </div>
  );
}
