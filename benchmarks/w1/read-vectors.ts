import { digestOf } from './reference.ts';
import { finalState } from './vectors.ts';

/** A process of its own that reads the final vectors from Redis: <redis>. Prints a line of JSON. */
const { vectors, blobBytes } = await finalState(process.argv[2] ?? '');
console.log(JSON.stringify({ digest: digestOf(vectors), users: vectors.size, blobBytes }));
