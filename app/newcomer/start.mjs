// `npm start`: from a fresh clone to a running Presage with the demo shop.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { prepare, root } from './prepare.mjs';

prepare();
const given = process.argv.slice(2);
const args = ['start', ...given];
const has = (name) => given.some((argument) => argument === name || argument.startsWith(`${name}=`));
if (!has('--workspace')) args.push('--workspace', join(root, 'examples', 'shop'));
if (!has('--data') && !has('--workspace')) args.push('--data', join(root, '.presage'));
const child = spawn(process.execPath, [join(root, 'dist', 'app', 'cli.js'), ...args], { stdio: 'inherit' });
// Ctrl-C reaches the child through the terminal's process group; a signal sent to npm alone is passed on.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 130 : 1)));
