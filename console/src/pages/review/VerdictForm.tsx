import { useState } from 'react';
import type { ReviewBody, ReviewSummary } from '../../../../schemas/index.ts';
import { asApiError, postJson } from '../../api/index.ts';
import { Panel } from '../../components/index.ts';

interface VerdictFormProps {
  readonly summary: ReviewSummary;
  /** What would be shown. */
  readonly content: Readonly<Record<string, unknown>>;
  readonly onSaid: () => void;
}

const nameKey = 'presage.reviewer';

/** The browser may forbid to keep anything. */
function keptName(): string {
  try {
    return localStorage.getItem(nameKey) ?? '';
  } catch {
    return '';
  }
}
function keepName(name: string): void {
  try {
    localStorage.setItem(nameKey, name);
  } catch {
    // Asked again next time.
  }
}

/** What would be shown, as it can be changed, and what to say of it. */
export function VerdictForm({ summary, content, onSaid }: VerdictFormProps) {
  const drafted = JSON.stringify(content, null, 2);
  const [text, setText] = useState(drafted);
  const [reviewer, setReviewer] = useState(keptName);
  const [note, setNote] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const edited = contentIn(text);
  const isEdited = text !== drafted;
  const isSample = summary.reason === 'sample';

  async function say(verdict: ReviewBody['verdict']): Promise<void> {
    setBusy(true);
    setProblem(null);
    const body: ReviewBody = {
      verdict,
      ...(verdict === 'edit' && edited !== null ? { content: edited } : {}),
      ...(reviewer.trim() === '' ? {} : { reviewer: reviewer.trim() }),
      ...(note.trim() === '' ? {} : { note: note.trim() }),
    };
    keepName(reviewer.trim());
    try {
      await postJson(`/api/reviews/${encodeURIComponent(summary.id)}`, body);
    } catch (error) {
      setProblem(asApiError(error).message);
    }
    setBusy(false);
    // Whoever was first: the page shows what stands.
    onSaid();
  }

  return (
    <Panel
      title={isSample ? 'Was it right?' : 'Shall it be done?'}
      note={isSample ? 'it was executed already' : 'this is what would be shown'}
    >
      <div className="verdict">
        {!isSample && (
          <label className="field">
            <span>Content</span>
            <textarea
              className="mono"
              rows={Math.min(14, Math.max(4, text.split('\n').length))}
              spellCheck={false}
              value={text}
              aria-invalid={edited === null}
              onChange={(event) => setText(event.target.value)}
            />
          </label>
        )}
        {edited === null && <p className="problem">This is not a JSON object.</p>}
        <div className="verdict-who">
          <label className="field">
            <span>Your name</span>
            <input
              value={reviewer}
              maxLength={100}
              autoComplete="name"
              onChange={(event) => setReviewer(event.target.value)}
            />
          </label>
          <label className="field">
            <span>Note (optional)</span>
            <input value={note} maxLength={1_000} onChange={(event) => setNote(event.target.value)} />
          </label>
        </div>
        {problem !== null && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <div className="verdict-buttons">
          <button
            type="button"
            className="button button-primary"
            disabled={isBusy || edited === null}
            onClick={() => say(isEdited ? 'edit' : 'approve')}
          >
            {isSample ? 'It was right' : isEdited ? 'Approve as edited' : 'Approve'}
          </button>
          {isEdited && (
            <button type="button" className="button" disabled={isBusy} onClick={() => setText(drafted)}>
              Undo the edit
            </button>
          )}
          <button
            type="button"
            className="button button-danger"
            disabled={isBusy}
            onClick={() => say('reject')}
          >
            {isSample ? 'It was not' : 'Reject'}
          </button>
        </div>
      </div>
    </Panel>
  );
}

function contentIn(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
