/** The runtime's own errors, for `mach help CODE`; those of connectors and operators come with the catalogue. */
import { boardErrors } from '../boards/errors.ts';
import { logErrors } from '../bus/errors.ts';
import type { ErrorList } from '../errors.ts';
import { executionErrors } from '../execution/errors.ts';
import { replayErrors } from '../execution/replay/errors.ts';
import { whyErrors } from '../execution/why/errors.ts';
import { expressionErrors } from '../expression/errors.ts';
import { storeErrors } from '../store/errors.ts';
import { topologyTestErrors } from '../testing/topology-test/errors.ts';
import { topologyErrors } from '../topology/errors.ts';
import { cliErrors } from './errors.ts';

export const runtimeErrorLists: readonly ErrorList[] = [
  topologyErrors.list,
  topologyTestErrors.list,
  expressionErrors.list,
  cliErrors.list,
  logErrors.list,
  storeErrors.list,
  executionErrors.list,
  replayErrors.list,
  whyErrors.list,
  boardErrors.list,
];
