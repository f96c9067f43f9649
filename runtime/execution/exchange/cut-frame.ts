/** What is too much for one message of a lane, in two parts that follow each other. */
import type { ExchangeFrame } from './exchange-frame.ts';

/**
 * Between two source sequences where there are several: the first part is then all of what came up to there, and says so, so that whoever opens
 * the lane anew after a crash between the two knows what is in the log. Rows of one sequence tell that by their indexes; its watermarks, which have none, come
 * whole and last. Watermarks are not put together: what other lanes bring between two of them must find time where it was.
 *
 * `before`: sequence that the lane has come through. Undefined: it cannot be cut.
 */
export function cutFrame(frame: ExchangeFrame, before: number): readonly [ExchangeFrame, ExchangeFrame] | undefined {
  const { rows, watermarks, ...rest } = frame;
  const longer = rows.length > watermarks.length ? rows : watermarks;
  const ends = [rows.at(0), rows.at(-1), watermarks.at(0), watermarks.at(-1)].flatMap((one) => one?.sequence ?? []);
  const last = Math.max(...ends);
  if (Math.min(...ends) < last) {
    const through = Math.min((longer[longer.length >> 1] as { sequence: number }).sequence, last - 1);
    const isFirst = ({ sequence }: { readonly sequence: number }) => sequence <= through;
    const isSecond = ({ sequence }: { readonly sequence: number }) => sequence > through;
    return [
      { ...rest, through, rows: rows.filter(isFirst), watermarks: watermarks.filter(isFirst) },
      { ...rest, rows: rows.filter(isSecond), watermarks: watermarks.filter(isSecond) },
    ];
  }
  if (rows.length < 2 && (rows.length === 0 || watermarks.length === 0)) return undefined;
  // A row that fits alone may not fit beside all of the watermarks.
  const middle = Math.max(1, rows.length >> 1);
  return [
    { ...rest, through: before, rows: rows.slice(0, middle), watermarks: [] },
    { ...frame, rows: rows.slice(middle) },
  ];
}
