/** How long each feed has been silent. What was never heard is silent, too: no age is not a small age. */
import { rowsMax } from './bounds.ts';
import { hospitalRegister } from './departments.ts';

/** Silence that is still ordinary, by feed, in seconds: a hospital at night, a bed file each quarter of an hour, a centre that always talks. */
export const ordinarySilenceSeconds = { adt: 600, beds: 2_400, centre: 120 } as const;
const otherFeedSeconds = 600;

/** Rows of the engine older than this are not looked at: it has been away for longer, and all is silent. */
const lookBackHours = 6;

/** When each origin was last heard: `topology`, `source`, `origin`, `heard_at`, `age_seconds`. */
export const lastHeard = `SELECT topology, source, origin, max(t.heard_at) AS heard_at,
    greatest(0, dateDiff('second', heard_at, $__toTime)) AS age_seconds
  FROM feed_freshness AS t WHERE t.at > $__toTime - INTERVAL ${lookBackHours} HOUR AND t.at <= $__toTime
  GROUP BY topology, source, origin LIMIT ${10 * rowsMax}`;

const ordinary = `multiIf(${Object.entries(ordinarySilenceSeconds)
  .map(([source, seconds]) => `source = '${source}', ${seconds}`)
  .join(', ')}, ${otherFeedSeconds})`;

/** Every hospital of the register with both of its feeds, and whoever else was heard: `source`, `origin`, `age_seconds` (null: never), `is_silent`. */
export const origins = `SELECT source, origin, age_seconds, isNull(age_seconds) OR age_seconds > ${ordinary} AS is_silent
  FROM (
    SELECT source, origin, minOrNull(age) AS age_seconds FROM (
      SELECT arrayJoin(['adt', 'beds']) AS source, hospital AS origin, NULL AS age FROM (${hospitalRegister})
      UNION ALL SELECT source, origin, toNullable(age_seconds) AS age FROM (${lastHeard})
    ) GROUP BY source, origin LIMIT ${10 * rowsMax}
  )`;

/** The newest message of each feed: a column of seconds for each, null when it was never heard. */
export const feedAges = `SELECT ${Object.keys(ordinarySilenceSeconds)
  .map((source) => `minOrNull(if(source = '${source}', age_seconds, NULL)) AS ${source}`)
  .join(', ')} FROM (${lastHeard})`;
