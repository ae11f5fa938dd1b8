import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/**
 * When a process began, as a text to compare: with the process id it names one process, also after the id was given to
 * another. null when no such process runs (one that ended and waits for its parent does not).
 */
export async function processIdentity(pid: number): Promise<string | null> {
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
}

async function fromProc(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  // The command's name may hold anything; what follows its closing bracket is regular (proc(5): state is field 3).
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields?.[0];
  if (state === undefined || state === 'Z' || state === 'X') return null;
  return fields?.[19] ?? null;
}

async function fromPs(pid: number): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-p', String(pid), '-o', 'stat=,lstart=']);
    const [state, ...began] = stdout.trim().split(/\s+/);
    return state === undefined || state.startsWith('Z') ? null : began.join(' ');
  } catch {
    return null;
  }
}
