/** The log: what the rest of the runtime may use of it. */
export * from './errors.ts';
export { type ConnectOptions, connectLog, type LogCredentials } from './jetstream/log.ts';
export * from './log.ts';
export { findNatsServer, type NatsServer, type NatsServerOptions, startNatsServer } from './server.ts';
