/** An id short enough for a row: its head and tail, the rest said by `…`. The full one belongs in the title. */
export function shortId(id: string, length = 16): string {
  if (id.length <= length) return id;
  const tail = 4;
  return `${id.slice(0, length - tail - 1)}…${id.slice(-tail)}`;
}

/** Text cut to a length that a row can hold, with `…` where something is left out. */
export const shortText = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1).trimEnd()}…`;
