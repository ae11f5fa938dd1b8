import type { LiveMessage } from '../../../schemas/index.ts';

export type ConnectionState = 'connecting' | 'live' | 'reconnecting';

const firstRetryMs = 1_000;
const longestRetryMs = 15_000;

/**
 * Follows /api/live until the returned function is called. The browser reconnects by itself after a lost connection,
 * but gives up for good when the gateway answers with an error: then we try again, ever less often.
 */
export function connect(
  onMessage: (message: LiveMessage) => void,
  onState: (state: ConnectionState) => void,
): () => void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let retryMs = firstRetryMs;
  let wasLive = false;

  function open(): void {
    source = new EventSource('/api/live');
    source.onopen = () => {
      wasLive = true;
      retryMs = firstRetryMs;
      onState('live');
    };
    source.onmessage = (event: MessageEvent<string>) => {
      const message = parse(event.data);
      if (message !== null) onMessage(message);
    };
    source.onerror = () => {
      onState(wasLive ? 'reconnecting' : 'connecting');
      if (source?.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(open, retryMs);
      retryMs = Math.min(longestRetryMs, retryMs * 2);
    };
  }

  onState('connecting');
  open();
  return () => {
    clearTimeout(timer);
    source?.close();
  };
}

function parse(data: string): LiveMessage | null {
  try {
    return JSON.parse(data) as LiveMessage;
  } catch {
    return null;
  }
}
