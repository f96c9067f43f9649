/** Topologies: from a file or from TypeScript to what the engine runs. */
export { type BindOptions, bindTopology, type LoadResult } from './bind.ts';
export * from './bound.ts';
export { type Diagnostic, diagnosticsToJson, hasErrors } from './diagnostic.ts';
export { topologyErrors } from './errors.ts';
export { type LoadOptions, loadTopology } from './load.ts';
export * from './names.ts';
export { formatCounts, formatFrames, formatOneLine } from './print-diagnostics.ts';
export type { Redactor } from './redactor.ts';
