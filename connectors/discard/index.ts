/** Sink `discard`: takes rows and forgets them. */
import { z } from 'zod';
import { defineSink, inputs } from '../../runtime/stream/index.ts';

export const discard = defineSink({
  name: 'discard',
  status: 'stable',
  summary: 'Takes rows and forgets them: for measurements, and where only the counts matter.',
  options: z.strictObject({ from: inputs() }),
  examples: [{ title: 'how fast a topology is without its store', options: { from: 'overload' } }],
  bind: () => ({
    open: async () => ({
      writeEveryMs: 0,
      async write() {
        return [];
      },
      async close() {},
    }),
  }),
});
