/** The log: what the rest of the runtime may use of it. */
export * from './errors.ts';
export { type ConnectOptions, connectLog, type LogCredentials } from './jetstream/log.ts';
export { announceRoom } from './jetstream/room.ts';
export * from './log.ts';
export { type FaultPlan, type FaultRates, faultPlan, noFaults } from './memory/faults.ts';
export { type MemoryLog, type MemoryLogOptions, memoryLog } from './memory/log.ts';
export { type MemoryStorage, memoryStorage } from './memory/storage.ts';
export {
  findNatsServer,
  findRunningServer,
  hasStorage,
  type NatsServer,
  type NatsServerOptions,
  startNatsServer,
} from './server.ts';
