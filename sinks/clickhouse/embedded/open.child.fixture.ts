import { messageOf } from '../../../core/index.ts';
import { openEmbeddedWarehouse } from '../index.ts';

/** Opens a folder and says how that went; then waits to be ended. */
try {
  await openEmbeddedWarehouse({ folder: process.argv[2] ?? '' });
  process.stdout.write('opened\n');
  setInterval(() => {}, 1_000);
} catch (error) {
  process.stdout.write(`refused: ${(error as { code?: string }).code}: ${messageOf(error)}\n`);
  process.exit(3);
}
