/** The queries in bare RxJS, one event at a time. */
import { servePeer } from '../request.ts';
import { runQuery } from '../stream.ts';
import { rxjsQueries } from './queries.ts';

export const runProgram = () => servePeer((request) => runQuery(rxjsQueries, request));
