/** One input of a model, taken apart. */
export type ModelInput =
  | { readonly from: 'feature'; readonly feature: string }
  | { readonly from: 'attribute'; readonly attribute: string }
  | { readonly from: 'action'; readonly action: string }
  /** `views_by_item[action.item]`: of a feature by a property, the value at the candidate's attribute. */
  | { readonly from: 'key'; readonly feature: string; readonly attribute: string };

/** What an input's text stands for; whether such names exist is checked when the workspace is compiled. */
export function modelInput(text: string): ModelInput {
  if (text.startsWith('is.')) return { from: 'action', action: text.slice('is.'.length) };
  if (text.startsWith('action.')) return { from: 'attribute', attribute: text.slice('action.'.length) };
  const [, feature, attribute] = /^([a-z][a-z0-9_]*)\[action\.([a-z][a-z0-9_]*)\]$/.exec(text) ?? [];
  if (feature === undefined || attribute === undefined) return { from: 'feature', feature: text };
  return { from: 'key', feature, attribute };
}

/** The feature that an input reads, or null. */
export function featureOfInput(text: string): string | null {
  const input = modelInput(text);
  return input.from === 'feature' || input.from === 'key' ? input.feature : null;
}
