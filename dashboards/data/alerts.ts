/** Alerts as boards ask for them: the table has a row for each change of state, boards want each alert once. */
import { rowsMax } from './bounds.ts';

/** An alert that has not changed for this long is no longer looked for. */
const lookBackDays = 7;

/**
 * In the order in which it was said: the engine may tell only after somebody has acted that something had changed before, and that is how the alert
 * stands then.
 */
const newest = (name: string) => `argMax(tuple(t.${name}), tuple(t._sequence, t._index)).1 AS ${name}`;

/** What was said last, also where something has happened since. */
const newestNote = 'argMaxIf(t.action_note, tuple(t._sequence, t._index), isNotNull(t.action_note)) AS note';

/**
 * Each alert of the last days as it stands at the end of the range: `hospital`, `alert_id`, `state`, `severity`, `reason`, `raised_at`, `changed_at`,
 * `acknowledged_at`, `acknowledged_by`, `assigned_to`, `note`, `open_seconds` (until it was cleared, or until now).
 */
export const alertsNow = `SELECT *, dateDiff('second', raised_at, if(state = 'cleared', changed_at, $__toTime)) AS open_seconds,
    dateDiff('second', raised_at, acknowledged_at) AS acknowledged_after_seconds
  FROM (
    SELECT t.hospital AS hospital, t.alert_id AS alert_id, max(t.at) AS changed_at, min(t.raised_at) AS raised_at,
      minOrNull(if(t.state = 'acknowledged', t.at, NULL)) AS acknowledged_at,
      ${['state', 'severity', 'reason', 'acknowledged_by', 'assigned_to'].map(newest).join(', ')},
      ${newestNote}
    FROM alerts AS t WHERE t.at > $__toTime - INTERVAL ${lookBackDays} DAY AND t.at <= $__toTime
    GROUP BY t.hospital, t.alert_id ORDER BY changed_at DESC LIMIT ${rowsMax}
  )`;
