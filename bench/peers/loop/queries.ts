import type { PeerQuery } from '../stream.ts';
import { joinQueries } from './joins.ts';
import { statelessQueries } from './stateless.ts';
import { totalQueries } from './totals.ts';
import { windowQueries } from './windows.ts';

export const loopQueries: Readonly<Record<string, PeerQuery>> = {
  ...statelessQueries,
  ...windowQueries,
  ...totalQueries,
  ...joinQueries,
};
