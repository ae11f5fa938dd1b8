import { type FormEvent, useState } from 'react';
import type { TryOut as Answer } from '../../../../schemas/index.ts';
import { postJson } from '../../api/http.ts';
import { Panel } from '../../components/index.ts';
import { Link, paths } from '../../router.tsx';

/** Tries a condition on the last 100 decisions; nothing is saved. */
export function TryOut({ tenant, placement }: { readonly tenant: string; readonly placement: string }) {
  const [text, setText] = useState('');
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setProblem(null);
    try {
      const body = { expression: text, tenant: tenant || undefined, placement: placement || undefined };
      setAnswer(await postJson<Answer>('/api/tryout', body));
    } catch (error) {
      setAnswer(null);
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  const verdicts = answer?.verdicts ?? [];
  const count = (wanted: boolean): number => verdicts.filter(({ verdict }) => verdict === wanted).length;
  return (
    <Panel title="Try a condition" note="on the last 100 decisions; nothing is saved">
      <div className="panel-foot">
        <form onSubmit={submit} className="filters">
          <label className="field">
            <span>Condition (CEL)</span>
            <input type="text" value={text} onChange={(event) => setText(event.target.value)} required />
          </label>
          <button type="submit" className="button">
            Try
          </button>
        </form>
      </div>
      {problem !== null && (
        <p role="alert" className="panel-foot">
          {problem}
        </p>
      )}
      {answer !== null && (
        <>
          <p className="panel-foot" role="status">
            {count(true)} true, {count(false)} false, {verdicts.length - count(true) - count(false)} could not
            be told.
          </p>
          <ul className="panel-foot">
            {verdicts.slice(0, 100).map(({ decision, verdict, saw }) => (
              <li key={decision}>
                <Link to={paths.decision(decision)}>{decision.slice(0, 10)}</Link> {String(verdict)}{' '}
                <span className="quiet">{JSON.stringify(saw)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </Panel>
  );
}
