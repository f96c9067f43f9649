import type { PeerQuery } from '../stream.ts';
import { arrivalQueries } from './arrival.ts';
import { fileQueries } from './files.ts';
import { joinQueries } from './joins.ts';
import { patternQueries } from './patterns.ts';
import { statelessQueries } from './stateless.ts';
import { totalQueries } from './totals.ts';
import { windowQueries } from './windows.ts';

export const loopQueries: Readonly<Record<string, PeerQuery>> = {
  ...statelessQueries,
  ...windowQueries,
  ...totalQueries,
  ...joinQueries,
  ...fileQueries,
  ...arrivalQueries,
  ...patternQueries,
};
