import { inboxContract } from './inbox.contract.ts';
import { memoryInbox } from './memory.ts';

inboxContract(async () => memoryInbox());
