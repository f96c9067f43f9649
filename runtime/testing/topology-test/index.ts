/** Tests of topologies: files of YAML beside them, run on the real engine in virtual time. */
export type { BoundTest, TestFile } from './bound-test.ts';
export { topologyTestErrors } from './errors.ts';
export { findTestFiles, type LoadTestsResult, loadTopologyTests } from './load.ts';
export { runTopologyTests, type TestFailure, type TestResult } from './run.ts';
