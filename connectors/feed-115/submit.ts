/** Submit: a few items without positions, answered once they are on disk. */
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { MachError, messageOf, type SourceContext } from '../../runtime/stream/index.ts';
import { feedErrors } from './errors.ts';
import { feedLimits } from './limits.ts';
import { centreProblem, readItems, tooManyItems } from './requests.ts';
import type { SubmitRequest, SubmitResponse } from './wire.ts';

export interface SubmitOptions {
  readonly context: SourceContext;
  readonly aheadMs: number;
}

const status = { invalid: 3, unavailable: 14 } as const;

/** Throws a coded error for a request that can never be taken. */
async function store(
  request: SubmitRequest,
  peer: string,
  { context, aheadMs }: SubmitOptions,
): Promise<SubmitResponse> {
  const reason = centreProblem(request.centre);
  if (reason !== null) throw feedErrors.make('MACH2102', { reason });
  const centre = request.centre as string;
  const id = request.id ?? '';
  if (id.length > feedLimits.nameLengthMax) {
    const data = { field: 'id', length: id.length, length_max: feedLimits.nameLengthMax };
    throw feedErrors.make('MACH2113', data);
  }
  const items = request.items ?? [];
  if (items.length > feedLimits.itemsPerRequestMax) throw tooManyItems(items);
  const timeMax = context.clock.now() + aheadMs;
  const { events, deadLetters, refusals } = readItems(items, { centre, peer, from: 0, firstPosition: 0, timeMax });
  if (items.length > 0) {
    try {
      // Kept apart from the identities of Publish, which are positions.
      await context.append({ origin: centre, events, deadLetters, ...(id ? { id: `submit:${id}` } : {}) });
    } catch (error) {
      throw feedErrors.make('MACH2106', { reason: messageOf(error) }, error);
    }
  }
  context.count('items_total', events.length, { centre });
  if (deadLetters.length) context.count('items_refused_total', deadLetters.length, { centre });
  return { accepted: events.length, refused: deadLetters.length, refusals };
}

export function makeSubmit(options: SubmitOptions) {
  return (call: ServerUnaryCall<SubmitRequest, SubmitResponse>, answer: sendUnaryData<SubmitResponse>): void => {
    store(call.request, call.getPeer(), options).then(
      (response) => answer(null, response),
      (error: unknown) => {
        const code = error instanceof MachError && error.code !== 'MACH2106' ? status.invalid : status.unavailable;
        const details = error instanceof MachError ? `${error.code} ${error.message}` : messageOf(error);
        answer({ code, details });
      },
    );
  };
}
