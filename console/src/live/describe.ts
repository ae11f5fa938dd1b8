import { durationText, formatAnything, formatValue, shortText } from '../format/index.ts';
import type { FeatureChange, RowMessage } from './rows.ts';

const longest = 96;
const mostParts = 4;

/** What happened, as the row says it beside its kind and subject. `main` stands out, `rest` explains. */
export interface Description {
  readonly main: string;
  readonly rest: string;
}

export function describe(message: RowMessage): Description {
  switch (message.kind) {
    case 'event':
      return {
        main: message.type,
        rest: [pairs(message.properties), ...(message.declared ? [] : ['undeclared type'])]
          .filter((part) => part !== '')
          .join(' · '),
      };
    case 'features':
      return { main: '', rest: changesText(message.changes) };
    case 'decision':
      return {
        main: message.action ?? 'nothing offered',
        rest: `${message.placement} · ${durationText(message.totalMs)}${message.mode === 'act' ? '' : ` · ${message.mode}`}`,
      };
    case 'pushed':
      return { main: message.action, rest: 'handed to the live session' };
    case 'exposure':
      return { main: message.action, rest: 'acknowledged by the page' };
    case 'outcome':
      return { main: message.what, rest: message.action };
    case 'dead':
      return { main: message.code, rest: shortText(message.message, longest) };
  }
}

function pairs(properties: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(properties);
  const parts = entries
    .slice(0, mostParts)
    .map(([name, value]) => `${name} ${shortText(formatAnything(value), 32)}`);
  const more = entries.length > mostParts ? ` +${entries.length - mostParts} more` : '';
  return shortText(parts.join(' · '), longest) + more;
}

function changesText(changes: readonly FeatureChange[]): string {
  const parts = changes.slice(0, mostParts - 1).map(({ name, before, after }) => {
    const now = shortText(formatValue(after), 28);
    return before === undefined ? `${name} ${now}` : `${name} ${shortText(formatValue(before), 20)} → ${now}`;
  });
  const rest = changes.length - parts.length;
  return shortText(parts.join(' · '), 140) + (rest > 0 ? ` +${rest} more` : '');
}
