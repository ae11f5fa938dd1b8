import { createConnection } from 'node:net';

export type PingAnswer = 'ready' | 'loading' | 'nobody';

/** Asks the server at `address` (a socket path or `127.0.0.1:port`) whether it serves. */
export async function ping(address: string, withinMs = 1_000): Promise<PingAnswer> {
  const line = await ask(address, 'PING\r\n', withinMs);
  if (line.startsWith('+PONG')) return 'ready';
  return line === '' ? 'nobody' : 'loading';
}

/** Asks a server to stop; resolves when it closed the connection, or after `withinMs`. */
export async function askToStop(address: string, withinMs: number): Promise<void> {
  await ask(address, 'SHUTDOWN NOSAVE\r\n', withinMs);
}

/** Sends one inline command; resolves with the first line of the answer, '' when there was none. */
function ask(address: string, command: string, withinMs: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection(targetOf(address));
    let answer = '';
    const finish = (): void => {
      socket.destroy();
      resolve(answer.split('\r\n')[0] ?? '');
    };
    socket.setTimeout(withinMs, finish);
    socket.on('error', finish);
    socket.on('close', finish);
    socket.on('connect', () => socket.write(command));
    socket.on('data', (data) => {
      answer += data.toString('utf8');
      if (answer.includes('\n')) finish();
    });
  });
}

function targetOf(address: string): { path: string } | { host: string; port: number } {
  if (address.startsWith('/')) return { path: address };
  const [host = '', port] = address.split(':');
  return { host, port: Number(port) };
}
