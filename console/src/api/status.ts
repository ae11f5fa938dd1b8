import type { Status, StopResult } from '../../../schemas/index.ts';
import { getJson, postJson } from './http.ts';
import { makePoll } from './poll.ts';
import { signedOut } from './session.ts';

export const statusPoll = makePoll<Status>(() => getJson('/api/status'), 2_000);

/** Stops or resumes every action of a tenant; of all of them without one. Resolves when the gateway has it. */
export async function switchActions(
  what: 'stop' | 'resume',
  tenant: string | null,
  reason: string,
): Promise<StopResult> {
  const result = await postJson<StopResult>(`/api/actions/${what}`, {
    ...(tenant === null ? {} : { tenant }),
    ...(reason === '' ? {} : { reason }),
  });
  statusPoll.refresh();
  return result;
}

/** Gives the sign-in back. Should the gateway not answer, this page forgets it all the same. */
export const signOut = (): Promise<void> => postJson('/api/signout', {}).then(signedOut, signedOut);
