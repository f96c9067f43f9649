import { withNats } from '../../testing/with-nats.ts';
import type { Log } from '../log.ts';
import { describeLog } from '../testing/log-contract.ts';
import { connectLog } from './log.ts';

describeLog({
  name: 'jetstream',
  run: (body) =>
    withNats(async ({ url }) => {
      const logs: Log[] = [];
      const connect = async () => {
        const log = await connectLog({ url });
        logs.push(log);
        return log;
      };
      try {
        await body(await connect(), connect);
      } finally {
        await Promise.all(logs.map((log) => log.close()));
      }
    }),
});
