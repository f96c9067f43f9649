/** The queries as a programmer would write each by hand, for one process that is never restarted. */
import { servePeer } from '../request.ts';
import { runQuery } from '../stream.ts';
import { loopQueries } from './queries.ts';

export const runProgram = () => servePeer((request) => runQuery(loopQueries, request));
