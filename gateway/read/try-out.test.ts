import { describe, expect, it } from 'vitest';
import { root } from '../../tests/support/program.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import { tryOut } from './try-out.ts';

const workspace = await loadWorkspace(`${root}/examples/shop`);
const feature = [...workspace.features].find(({ kind }) => kind === 'count')?.name ?? '';
const record = (id: string, value: number | null, startedBy: object, context: object = {}) => ({
  record: JSON.stringify({
    id,
    subject: 'u:ann',
    placement: 'banner',
    action: null,
    features: { [feature]: value },
    startedBy,
    context,
  }),
});
const asked: { query: string; parameters: unknown }[] = [];
const warehouse = {
  async rows<T>(query: string, parameters?: unknown): Promise<T[]> {
    asked.push({ query, parameters });
    return [
      record('d1', 5, { kind: 'trigger' }, { price: 30 }),
      record('d2', 1, { kind: 'request' }, { page: 'cart' }),
      record('d3', null, { kind: 'request' }, { page: 'home' }),
    ] as T[];
  },
};
const tried = async (text: string) =>
  (await tryOut(warehouse, workspace, text, 'shop', 'banner')).verdicts.map(({ verdict }) => verdict);

describe('a condition tried on past decisions', () => {
  it('is told decision by decision, from the features that they had', async () => {
    expect(await tried(`${feature} > 2`)).toEqual([true, false, `missing: ${feature}`]);
    expect(asked.at(-1)?.parameters).toEqual({ tenant: 'shop', placement: 'banner' });
    expect(asked.at(-1)?.query).toContain('ORDER BY decided DESC LIMIT 100');
  });

  it("reads the trigger's event or the request's context, as the action would have", async () => {
    expect(await tried('has(event.price) && event.price > 20')).toEqual([true, false, false]);
    expect(await tried('has(context.page) && context.page == "cart"')).toEqual([false, true, false]);
  });

  it('is refused where it is wrong, with its place', async () => {
    await expect(tried(`${feature}x > 2`)).rejects.toMatchObject({
      code: 'expression_wrong',
      message: expect.stringMatching(/^At character 1: there is no feature .* Did you mean/),
    });
    await expect(tried(feature)).rejects.toMatchObject({ code: 'expression_wrong' });
  });
});
