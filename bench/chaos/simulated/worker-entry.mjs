/** Threads begin without the loader of TypeScript that the main thread was started with. */
import { register } from 'tsx/esm/api';

register();
await import('./worker.ts');
