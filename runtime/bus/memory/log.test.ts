import { systemClock } from '../../clock.ts';
import { describeLog } from '../testing/log-contract.ts';
import { type MemoryLogOptions, memoryLog } from './log.ts';
import { memoryStorage } from './storage.ts';

const kinds: readonly (readonly [string, Partial<MemoryLogOptions>])[] = [
  ['memory', {}],
  ['memory that hands on', { passing: { keeps: () => true, readers: () => 1 } }],
];

for (const [name, options] of kinds) {
  describeLog({
    name,
    async run(body) {
      const storage = memoryStorage();
      const clock = systemClock();
      const connect = async () => memoryLog({ clock, storage, ...options });
      await body(await connect(), connect);
    },
  });
}
