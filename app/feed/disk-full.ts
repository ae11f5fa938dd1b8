import { PresageError } from '../../core/index.ts';

/** The error itself; where it says that there is no room in `folder` (or no more for this user), a sentence about that. */
export function explainFull(error: unknown, folder: string, whatToDo: string): unknown {
  const isFull = ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '');
  if (!isFull) return error;
  return new PresageError('no_disk_space', `The disk of ${folder} is full: ${whatToDo}.`, { cause: error });
}
