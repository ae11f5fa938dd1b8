import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

/** Runs `work`; with PRESAGE_PROFILE=<file> it also writes a CPU profile of it, which Chrome's developer tools open. */
export async function profiled<T>(work: () => Promise<T>): Promise<T> {
  const file = process.env.PRESAGE_PROFILE;
  if (file === undefined) return work();
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 250 });
  await session.post('Profiler.start');
  const result = await work();
  const { profile } = await session.post('Profiler.stop');
  writeFileSync(file, JSON.stringify(profile));
  session.disconnect();
  return result;
}
