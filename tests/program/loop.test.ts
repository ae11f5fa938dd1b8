import { wholeLoop } from './loop.contract.ts';

wholeLoop('on Redis Streams', async () => ({}));
