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

/** The mode of a decision in words, with the tone that belongs to it. */
export function ModeTag({ mode }: { readonly mode: string }) {
  if (mode === 'act') {
    return (
      <Tag tone="teal" title="Delivered to the live session.">
        act
      </Tag>
    );
  }
  if (mode === 'observe') {
    return (
      <Tag tone="amber" title="Decided and recorded, never delivered.">
        observe
      </Tag>
    );
  }
  return (
    <Tag tone="red" title="Decided while the stop switch was on: recorded, not delivered.">
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
};

export const OutcomeTag = ({ outcome }: { readonly outcome: string }) => (
  <Tag tone={outcomeTones[outcome] ?? 'plain'}>{outcome}</Tag>
);
