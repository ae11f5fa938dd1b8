import { appendFileSync } from 'node:fs';

/** A line of the report that `npm run test:faults` puts into docs/reliability.md. */
export function report(drill: string, figures: Readonly<Record<string, number>>): void {
  const file = process.env.PRESAGE_FAULTS_REPORT;
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ drill, figures })}\n`);
}
