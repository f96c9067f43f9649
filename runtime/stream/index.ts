/** All that an operator or a connector may import from the runtime. */

export type { Clock, Timer } from '../clock.ts';
export { closeServer } from '../close-server.ts';
export { didYouMean } from '../did-you-mean.ts';
export {
  assert,
  defineErrors,
  type ErrorData,
  type ErrorDescription,
  type ErrorList,
  MachError,
  messageOf,
} from '../errors.ts';
export type { CompiledAggregate } from '../expression/aggregate.ts';
export { keepNewest } from '../keep-newest.ts';
export { type LimitName, limits } from '../limits.ts';
export { isLoopback, strangeHost } from '../loopback.ts';
export { makeFolder } from '../make-folder.ts';
export { RefusedRowsError } from '../store/errors.ts';
export type { RowOrigin, Rows, Store, TableSpec } from '../store/store.ts';
export { isZone, localToUtc, zoneOffsetMs } from '../zone.ts';
export * from './checker.ts';
export { columnValues } from './column-values.ts';
export { eventExtender, eventJoiner, fieldColumns, fieldReader, fieldsReader } from './compiled-access.ts';
export {
  eventComposer,
  type FieldVisit,
  listMaker,
  listMapper,
  listUpdater,
  type RowsVisitor,
  rowsVisitor,
  type SlotUpdate,
} from './compiled-lists.ts';
export {
  type HandStep,
  isSameExpression,
  type RowPlaces,
  type RowStep,
  type RowsUpdate,
  type RowTaker,
  type RowUpdate,
  rowsUpdater,
  rowUpdater,
} from './compiled-rows.ts';
export { type Completion, completing } from './completing.ts';
export * from './definition.ts';
export { EntryTable } from './entry-table.ts';
export { EventColumns } from './event-columns.ts';
export { eventKey, keyOfValue, keyOfValues } from './event-key.ts';
export { fieldTemplate } from './field-template.ts';
export * from './frame.ts';
export { hashText } from './hash.ts';
export { type HeldKeys, heldKeys } from './held-keys.ts';
export { hashOf } from './key-hash.ts';
export * from './operator-definition.ts';
export * from './operator-state.ts';
export * from './options.ts';
export * from './privacy.ts';
export { jsonRow } from './row-json.ts';
export { type EventRows, mapping, selecting } from './row-loops.ts';
export { RowTable } from './row-table.ts';
export * from './schema.ts';
export { ScoreTree } from './score-tree.ts';
export * from './sink-definition.ts';
export * from './source-definition.ts';
export type { StateColumns } from './state-columns.ts';
export * from './state-contract.ts';
export * from './state-cut.ts';
export type { GlanceAtState, StateGlance } from './state-view.ts';
