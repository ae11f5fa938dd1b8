import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBroker } from '../../scripts/kafka/broker.mjs';

/** A broker for a benchmark, or the one that is there at `address`. */
export async function withBroker(
  address: string | undefined,
  use: (address: string) => Promise<void>,
): Promise<void> {
  if (address !== undefined) return use(address);
  const folder = mkdtempSync(join(tmpdir(), 'presage-broker-'));
  // Members of a group that come within this time get their partitions at once, as a deployment would.
  const settings = { 'group.initial.rebalance.delay.ms': 3_000 };
  const broker = await startBroker({ folder, heapMb: 1_024, quick: false, settings });
  try {
    await use(broker.address);
  } finally {
    await broker.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
