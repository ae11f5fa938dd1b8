import { loadWorkspace } from '../../workspace/index.ts';
import { type W1Event, w1, w1Events } from '../w1/events.ts';

/** What all processes of a run know, so that each can make the same events by itself. */
export interface Load {
  /** A second. */
  readonly rate: number;
  readonly seconds: number;
  /** Event time of the first event, before the run begins: none is clamped to its append time. */
  readonly epoch: number;
  readonly workspace: string;
}

/** The generator rehearses for so long on a topic of its own, so that it is not itself what is late. */
export const rehearsalSeconds = 3;

export const eventsIn = ({ rate, seconds }: Load): number => Math.round(rate * seconds);

/** Milliseconds after the start at which event number `i` is to be sent. */
export const intendedAt = ({ rate }: Load, i: number): number => (i * 1_000) / rate;

export async function loadEvents(load: Load): Promise<Generator<W1Event>> {
  const workspace = await loadWorkspace(load.workspace);
  const events = eventsIn(load);
  return w1Events((type) => workspace.types.get(type)?.schemaHash ?? '', events, {
    users: w1.users,
    epoch: load.epoch,
    events,
    spanMs: load.seconds * 1_000,
  });
}
