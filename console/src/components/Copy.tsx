import { useEffect, useState } from 'react';

interface CopyProps {
  readonly text: string;
  /** What is copied, for its name: "Copy decision id". */
  readonly what: string;
  readonly label?: string;
}

/** Copies a text; says that it did. */
export function Copy({ text, what, label }: CopyProps) {
  const [result, setResult] = useState<'copied' | 'failed' | null>(null);

  useEffect(() => {
    if (result === null) return;
    const timer = setTimeout(() => setResult(null), 2_000);
    return () => clearTimeout(timer);
  }, [result]);

  async function copy(): Promise<void> {
    setResult(await write(text));
  }

  const said = result === 'copied' ? 'Copied' : result === 'failed' ? 'Select it and copy by hand' : null;
  return (
    <button
      type="button"
      className={label === undefined ? 'button button-icon' : 'button'}
      aria-label={label === undefined ? (said ?? `Copy ${what}`) : undefined}
      title={said ?? `Copy ${what}`}
      onClick={copy}
    >
      <svg
        width="14"
        height="14"
        viewBox="0 0 16 16"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        aria-hidden="true"
      >
        {result === 'copied' ? (
          <path d="m3 8.5 3.5 3.5L13 5" />
        ) : (
          <path d="M5.5 5.5v-3h8v8h-3m-8-5h8v8h-8z" strokeLinejoin="round" />
        )}
      </svg>
      {label !== undefined && <span aria-live="polite">{said ?? label}</span>}
    </button>
  );
}

/** Browsers give the clipboard to secure pages only; plain http on another machine is not one. */
async function write(text: string): Promise<'copied' | 'failed'> {
  try {
    await navigator.clipboard.writeText(text);
    return 'copied';
  } catch {
    return 'failed';
  }
}
