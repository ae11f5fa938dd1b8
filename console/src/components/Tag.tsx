import type { ReactNode } from 'react';

export type Tone = 'plain' | 'teal' | 'green' | 'amber' | 'red' | 'violet';

interface TagProps {
  readonly tone?: Tone;
  readonly title?: string;
  readonly children: ReactNode;
}

/** A word that classifies what stands beside it. */
export const Tag = ({ tone = 'plain', title, children }: TagProps) => (
  <span className={`tag tag-${tone}`} title={title}>
    {children}
  </span>
);

export const SimulatedTag = ({ isShort = false }: { readonly isShort?: boolean }) => (
  <span
    className="tag tag-simulated"
    title="Made up by the simulator, not a real visitor. `npx presage reset --demo` removes it."
  >
    {isShort ? 'sim' : 'simulated'}
  </span>
);

const modes: Readonly<Record<string, readonly [tone: Tone, title: string]>> = {
  act: ['teal', 'Delivered to the live session.'],
  observe: ['amber', 'Decided and recorded, never delivered.'],
  stopped: ['red', 'Decided while the stop switch was on: recorded, not delivered.'],
  holdout: ['violet', 'The subject is held out, so that lift can be measured: recorded, not delivered.'],
  review: ['amber', 'It did not pass its gate: nothing is executed unless a person approves it.'],
};

/** The mode of a decision in words, with the tone that belongs to it. */
export function ModeTag({ mode }: { readonly mode: string }) {
  const [tone, title] = modes[mode] ?? ['red', undefined];
  return (
    <Tag tone={tone} {...(title === undefined ? {} : { title })}>
      {mode}
    </Tag>
  );
}

const outcomeTones: Readonly<Record<string, Tone>> = {
  accepted: 'green',
  converted: 'green',
  resolved: 'green',
  dismissed: 'amber',
  reopened: 'amber',
  reversed: 'amber',
};

export const OutcomeTag = ({ outcome }: { readonly outcome: string }) => (
  <Tag tone={outcomeTones[outcome] ?? 'plain'}>{outcome}</Tag>
);

const verdicts: Readonly<Record<string, Tone>> = {
  approved: 'green',
  edited: 'amber',
  rejected: 'red',
};

export const VerdictTag = ({ verdict }: { readonly verdict: string }) => (
  <Tag tone={verdicts[verdict] ?? 'plain'}>{verdict}</Tag>
);
