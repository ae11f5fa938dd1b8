import { Pair, parseDocument, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { count, type ProposedType } from './propose.ts';

/** Comments stand behind what they are about; a line is not folded however long they get. */
const format = { lineWidth: 0, flowCollectionPadding: false } as const;

/** Proposals as YAML to paste under `types:`. */
export function renderProposals(proposals: readonly ProposedType[]): string {
  const document = parseDocument('types: {}');
  const types = new YAMLMap();
  for (const proposal of proposals) types.add(pairOf(proposal));
  document.set('types', types);
  return document.toString(format);
}

function pairOf(proposal: ProposedType): Pair {
  const { type, seen, isDeclared, properties, required, remarks } = proposal;
  const key = new Scalar(type);
  const heading = [`${count(seen)} seen${isDeclared ? ', declared already: what it lacks' : ''}`, ...remarks];
  key.commentBefore = heading.map((line) => ` ${oneLine(line)}`).join('\n');
  const body = new YAMLMap();
  const declared = new YAMLMap();
  const uncertain: string[] = [];
  for (const { name, type: found, comment } of properties) {
    if (found === null) {
      uncertain.push(` ${oneLine(`${JSON.stringify(name)}: ${comment}`)}`);
      continue;
    }
    const value = new Scalar(found);
    value.comment = ` ${oneLine(comment)}`;
    declared.add(new Pair(new Scalar(name), value));
  }
  if (declared.items.length > 0) body.add(new Pair(new Scalar('properties'), declared));
  if (required.length > 0) {
    const list = new YAMLSeq();
    list.flow = true;
    for (const name of required) list.add(new Scalar(name));
    body.add(new Pair(new Scalar('required'), list));
  }
  if (uncertain.length > 0) body.comment = uncertain.join('\n');
  if (body.items.length === 0) {
    body.flow = true;
    if (uncertain.length > 0) key.commentBefore = [key.commentBefore, ...uncertain].join('\n');
    delete body.comment;
  }
  return new Pair(key, body);
}

/** A comment ends with its line, whatever the values it shows. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]/gu, ' ');
