import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session } from 'chdb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileExpression } from '../../../workspace/index.ts';
import { conditionSql } from './condition.ts';
import { quoted } from './port.ts';
import { readable } from './properties.ts';

let folder: string;
let clickhouse: Session;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-condition-'));
  clickhouse = new Session(folder);
});
afterAll(async () => {
  clickhouse.close();
  await rm(folder, { recursive: true, force: true });
});

const values = [3, 0, -2.5, 1e308, 'a', 'abc', '3', '', "it's", true, false, null, [1], { y: 2 }, { y: 'a' }];
const properties = [{}, ...values.map((x) => ({ x })), ...values.map((x) => ({ x, z: 3 }))];

const translated = [
  'event.x > 2',
  'event.x <= 3 && event.z == 3',
  '3 >= event.x || event.z == 3',
  '!(event.x < 1)',
  'event.x == 3',
  'event.x != 3',
  'event.x == "a"',
  '"a" != event.x',
  'event.x == "it\'s"',
  'event.x == true',
  'event.x != null',
  'event.x in ["a", "b"]',
  '!(event.x in [3, 4])',
  'event.x',
  '!event.x',
  'event.x || true',
  'has(event.x)',
  '!has(event.x) && event.z > 1',
  'has(event.x) && event.x < 80',
  'event.x.y == 2',
  'has(event.x.y)',
  'event["x"] + event.z * 2 - 1 > 7 / 2',
  '-event.x < 0',
  'event.x.startsWith("a")',
  'event.x.endsWith("c") || event.z == 3',
  'event.x.contains("b")',
];

describe('conditions in SQL', () => {
  it.each(translated)('%s holds for the events for which CEL says so', (text) => {
    const sql = conditionSql(text);
    const names = {
      features: null,
      event: { properties: new Map(), isOpen: true },
      action: null,
      context: false,
    };
    const compiled = compileExpression(text, 'bool', names);
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
    const byCel = properties.map((event) => {
      const result = compiled.expression.evaluate({ features: {}, event, action: null, context: null });
      return result.kind === 'value' && result.value;
    });
    const list = properties.map((one) => quoted(JSON.stringify(one))).join(', ');
    const bySql = clickhouse
      .query(
        `SELECT ifNull(${sql}, false) AS holds FROM (SELECT ${readable('p')} AS json FROM (SELECT arrayJoin([${list}]) AS p))`,
        'JSONCompactEachRow',
      )
      .trim()
      .split('\n')
      .map((line) => Boolean((JSON.parse(line) as unknown[])[0]));
    expect(properties.map((one, index) => [one, bySql[index]])).toEqual(
      properties.map((one, index) => [one, byCel[index]]),
    );
  });

  it.each([
    'event.x == event.z',
    'event.list.exists(i, i > 1)',
    'event.x.matches("a+")',
    'size(event.x) > 1',
  ])('%s is left to the engine', (text) => expect(conditionSql(text)).toBeNull());
});
