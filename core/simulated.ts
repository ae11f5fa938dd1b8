/** Visitors that `presage simulate` plays have anonymous ids with this prefix, so that their data can be told apart and removed. */
export const simulatedPrefix = 'sim-';

export function isSimulated(event: { source: string; anonymousId?: string | undefined }): boolean {
  return event.source === 'simulator' || (event.anonymousId?.startsWith(simulatedPrefix) ?? false);
}
