import type { ReactNode } from 'react';
import type { DecisionRecord } from '../../../../schemas/index.ts';
import { Panel } from '../../components/index.ts';
import { formatPercent, nothing } from '../../format/index.ts';
import { explorationWords, holdoutWords, inWords } from './summary.ts';

/** What has to be known to make the same decision again. */
export function Provenance({ decision }: { readonly decision: DecisionRecord }) {
  const { model, log, startedBy } = decision;
  const rows: readonly (readonly [label: string, value: ReactNode])[] = [
    ['Model', model === null ? 'none' : `${model.id}, version ${model.version}`],
    ['Model hash', model === null ? nothing : <Hash key="model" text={model.sha256} />],
    ['Policy', <Hash key="policy" text={decision.policy} />],
    ['Workspace', <Hash key="workspace" text={decision.workspace} />],
    ['Rung', `${decision.rung}${decision.rungReason === '' ? '' : `: ${inWords(decision.rungReason)}`}`],
    [
      'Choice propensity',
      `${formatPercent(decision.choicePropensity)}${decision.deterministic ? ' (no other choice was possible)' : ''}`,
    ],
    ...(decision.exploration === undefined
      ? []
      : [['Exploration', explorationWords(decision.exploration)] as const]),
    ...(decision.holdout === undefined ? [] : [['Holdout', holdoutWords(decision.holdout)] as const]),
    ['Available at the commit', decision.available.length === 0 ? 'none' : decision.available.join(', ')],
    ['Purpose', decision.purpose ?? 'none stated'],
    ['Log', `partition ${log.partition}, position ${log.position}`],
    [startLabels[startedBy.kind], <Hash key="start" text={startedOf(startedBy)} />],
    ['Session', decision.session === null ? 'none' : <Hash key="session" text={decision.session} />],
  ];
  return (
    <Panel title="Provenance" note="enough to make the same decision again">
      <dl className="pairs pairs-columns">
        {rows.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

const startLabels = { trigger: 'Event id', timer: 'Timer', request: 'Request id' } as const;

function startedOf(startedBy: DecisionRecord['startedBy']): string {
  switch (startedBy.kind) {
    case 'trigger':
      return startedBy.event;
    case 'timer':
      return startedBy.trigger;
    case 'request':
      return startedBy.request;
  }
}

const Hash = ({ text }: { readonly text: string }) => <span className="mono">{text}</span>;
