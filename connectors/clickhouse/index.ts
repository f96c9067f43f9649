export { clickhouse } from './sink.ts';
