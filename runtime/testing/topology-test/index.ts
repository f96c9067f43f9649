/** Tests of topologies: files of YAML beside them, run on the real engine in virtual time. */
export type { BoundTest, TestFile } from './bound-test.ts';
export { type Coverage, coverageOf } from './coverage.ts';
export { topologyTestErrors } from './errors.ts';
export { findTestFiles, type LoadTestsResult, loadTopologyTests } from './load.ts';
export { runTopologyTests, type TestFailure, type TestResult } from './run.ts';
export { openSnapshots, type Snapshots, snapshotFileOf } from './snapshots.ts';
