import { systemClock } from '../../clock.ts';
import { describeLog } from '../testing/log-contract.ts';
import { memoryLog } from './log.ts';
import { memoryStorage } from './storage.ts';

describeLog({
  name: 'memory',
  async run(body) {
    const storage = memoryStorage();
    const clock = systemClock();
    const connect = async () => memoryLog({ clock, storage });
    await body(await connect(), connect);
  },
});
