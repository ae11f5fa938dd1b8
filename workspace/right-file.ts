import { readFile, stat } from 'node:fs/promises';
import { type RightCalibration, rightCalibration } from '../schemas/index.ts';
import { type Path, quote, type Report } from './problems.ts';

const mostBytes = 256 * 1_024;

/** What `presage calibrate` wrote for this action. null: what is there cannot be used, and was reported. */
export async function readRightCalibration(
  file: string,
  action: string,
  named: string,
  path: Path,
  report: Report,
): Promise<RightCalibration | null> {
  const name = quote(named);
  if ((await stat(file)).size > mostBytes) {
    report(path, `expected a calibration of at most ${mostBytes} bytes at ${name}`);
    return null;
  }
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch {
    report(path, `expected a calibration in JSON but ${name} cannot be read as such`);
    return null;
  }
  const parsed = rightCalibration.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    report(path, `${name} is no calibration of a gate: ${issue?.path.join('.') || 'it'}: ${issue?.message}`);
    return null;
  }
  if (parsed.data.action === action) return parsed.data;
  report(path, `expected a calibration of ${quote(action)} but ${name} is of ${quote(parsed.data.action)}`);
  return null;
}
