/** Log lines of workers, in the form in which this process writes its own, each with the name of its worker. */
import { plainLine } from '../../observe/logger.ts';

export function forwardLine(worker: string, line: string, { plain }: { plain: boolean }): string {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) as Record<string, unknown>;
    if (typeof fields !== 'object' || fields === null || fields.msg === undefined) return `${worker}: ${line}`;
  } catch {
    // What is not of the logger: the words of an error that ended it.
    return `${worker}: ${line}`;
  }
  const named = { ...fields, worker };
  return plain ? plainLine(named) : JSON.stringify(named);
}
