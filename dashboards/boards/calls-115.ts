/** 115: are callers answered, and are ambulances there in time? */
import { callsMax, pointsMax } from '../data/bounds.ts';
import { arrivalsSince, callsSince, phaseCounts, unitsNow } from '../data/calls.ts';
import type { Board, Row } from '../kit/board.ts';
import { palette, rising } from '../kit/palette.ts';
import { text } from '../kit/text.ts';
import { ambulances, answerSeconds, arrivalMinutes, calls, clock, hospital, unknown } from '../kit/words.ts';

const inRange = '$__fromTime';
/** Medians of an interval shorter than this say little: a city has a call a minute. */
const byHour = (column: string) => `toStartOfInterval(${column}, INTERVAL greatest(3600, $__interval_s) second)`;

const numbersRow: Row = {
  question: text('Người gọi có được trả lời ngay không?', 'Are callers answered at once?'),
  height: 4,
  panels: [
    {
      kind: 'stat',
      title: text('Cuộc gọi trong khoảng thời gian', 'Calls in the range'),
      description: text(
        'Bỏ máy: người gọi dập máy trước khi có người trả lời. Trả lời ngay: trong vòng 10 giây.',
        'Abandoned: the caller hung up before an answer. At once: within 10 seconds.',
      ),
      width: 12,
      sql: `
SELECT count() AS calls, countIf(isNull(answered_at) AND isNull(abandoned_at)) AS waiting,
  if(calls = 0, NULL, countIf(isNotNull(abandoned_at)) / calls) AS abandoned,
  if(calls = 0, NULL, countIf(answer_seconds <= 10) / calls) AS at_once
FROM (${callsSince(inRange)}) LIMIT 1`,
      look: calls,
      columns: {
        calls: { title: text('Cuộc gọi', 'Calls'), color: palette.plain },
        waiting: { title: text('Chưa trả lời', 'Not answered yet'), scale: rising(2, 4, 8) },
        abandoned: {
          title: text('Bỏ máy', 'Abandoned'),
          unit: 'percentunit',
          decimals: 1,
          scale: rising(0.03, 0.08, 0.15),
        },
        at_once: {
          title: text('Trả lời ngay', 'Answered at once'),
          unit: 'percentunit',
          decimals: 0,
          scale: [
            { from: null, color: palette.severe },
            { from: 0.75, color: palette.warning },
            { from: 0.85, color: palette.watch },
            { from: 0.9, color: palette.calm },
          ],
        },
      },
    },
    {
      kind: 'stat',
      title: text('Thời gian trả lời và tới nơi', 'Times to the answer and to the scene'),
      description: text(
        'Trung vị và phân vị 90. Tới nơi: từ khi nhận cuộc gọi đến khi xe đầu tiên tới hiện trường.',
        'Medians and 90th percentiles. To the scene: from the call to the first ambulance there.',
      ),
      width: 12,
      sql: `
SELECT answer_median, answer_p90, arrival_median, arrival_p90 FROM (
  SELECT medianOrNull(answer_seconds) AS answer_median, quantileOrNull(0.9)(answer_seconds) AS answer_p90 FROM (${callsSince(inRange)})
) AS c CROSS JOIN (
  SELECT medianOrNull(arrival_minutes) AS arrival_median, quantileOrNull(0.9)(arrival_minutes) AS arrival_p90 FROM (${arrivalsSince(inRange)})
) AS a LIMIT 1`,
      look: { absent: unknown },
      columns: {
        answer_median: { ...answerSeconds, title: text('Trả lời, trung vị', 'Answer, median') },
        answer_p90: { ...answerSeconds, title: text('9/10 trả lời trong', '9 of 10 answered in') },
        arrival_median: { ...arrivalMinutes, title: text('Tới nơi, trung vị', 'At the scene, median') },
        arrival_p90: { ...arrivalMinutes, title: text('9/10 tới nơi trong', '9 of 10 there in') },
      },
    },
  ],
};

const loadRow: Row = {
  question: text('Có bao nhiêu cuộc gọi, và ai được ưu tiên?', 'How many calls, and of what priority?'),
  height: 8,
  panels: [
    {
      kind: 'timeseries',
      title: text('Cuộc gọi mỗi giờ theo mức ưu tiên', 'Calls each hour by priority'),
      description: text('1 là nguy hiểm tính mạng ngay.', '1 is a life at risk now.'),
      width: 14,
      bars: true,
      stacked: true,
      sql: `
SELECT ${byHour('received_at')} AS time, ${[1, 2, 3, 4, 5].map((priority) => `countIf(priority = ${priority}) AS p${priority}`).join(', ')}, countIf(isNull(priority)) AS none
FROM (${callsSince(inRange)}) GROUP BY time ORDER BY time LIMIT ${pointsMax}`,
      look: { ...calls, min: 0 },
      columns: {
        p1: { title: text('Ưu tiên 1', 'Priority 1'), color: palette.severe },
        p2: { title: text('Ưu tiên 2', 'Priority 2'), color: palette.warning },
        p3: { title: text('Ưu tiên 3', 'Priority 3'), color: palette.watch },
        p4: { title: text('Ưu tiên 4', 'Priority 4'), color: palette.calm },
        p5: { title: text('Ưu tiên 5', 'Priority 5'), color: palette.plain },
        none: { title: text('Chưa biết', 'Not known'), color: palette.unknown },
      },
    },
    {
      kind: 'bargauge',
      title: text('Xe cấp cứu đang làm gì?', 'What are the ambulances doing?'),
      description: text(
        'Trạng thái mới nhất của mỗi xe trong 12 giờ qua.',
        'The newest state of each ambulance in the last 12 hours.',
      ),
      width: 10,
      sql: `SELECT ${phaseCounts.sql} FROM (${unitsNow}) LIMIT 1`,
      look: { ...ambulances, min: 0 },
      columns: phaseCounts.columns,
    },
  ],
};

const timesRow: Row = {
  question: text('Thời gian đang ngắn lại hay dài ra?', 'Are times getting shorter or longer?'),
  height: 8,
  panels: [
    {
      kind: 'timeseries',
      title: text('Từ nhận đến trả lời', 'From received to answered'),
      description: text('Mỗi giờ: trung vị và phân vị 90.', 'Each hour: median and 90th percentile.'),
      width: 12,
      limits: true,
      sql: `
SELECT ${byHour('received_at')} AS time, medianOrNull(answer_seconds) AS median, quantileOrNull(0.9)(answer_seconds) AS p90
FROM (${callsSince(inRange)}) GROUP BY time ORDER BY time LIMIT ${pointsMax}`,
      look: { ...answerSeconds, min: 0 },
      columns: {
        median: { title: text('Trung vị', 'Median'), color: palette.calm },
        p90: { title: text('Phân vị 90', '90th percentile'), color: palette.warning },
      },
    },
    {
      kind: 'timeseries',
      title: text('Từ nhận đến khi xe tới hiện trường', 'From received to the ambulance at the scene'),
      description: text('Mỗi giờ: trung vị và phân vị 90.', 'Each hour: median and 90th percentile.'),
      width: 12,
      limits: true,
      sql: `
SELECT ${byHour('received_at')} AS time, medianOrNull(arrival_minutes) AS median, quantileOrNull(0.9)(arrival_minutes) AS p90
FROM (${arrivalsSince(inRange)}) GROUP BY time ORDER BY time LIMIT ${pointsMax}`,
      look: { ...arrivalMinutes, min: 0 },
      columns: {
        median: { title: text('Trung vị', 'Median'), color: palette.calm },
        p90: { title: text('Phân vị 90', '90th percentile'), color: palette.warning },
      },
    },
  ],
};

const waitingRow: Row = {
  question: text('Xe nào đang chờ bàn giao bệnh nhân?', 'Which ambulances wait to hand over their patients?'),
  height: 9,
  panels: [
    {
      kind: 'table',
      title: text('Xe đang chở hoặc chờ ở bệnh viện', 'Ambulances that transport, or wait at a hospital'),
      description: text('Chờ lâu nhất ở trên.', 'The longest wait first.'),
      width: 12,
      sql: `
SELECT unit_id, station, hospital, phase, dateDiff('second', said_at, $__toTime) AS since_seconds, said_at FROM (${unitsNow})
WHERE phase IN ('transporting', 'at_destination') ORDER BY phase, since_seconds DESC LIMIT 50`,
      look: { absent: unknown },
      columns: {
        unit_id: { title: text('Xe', 'Ambulance'), width: 90 },
        station: { title: text('Trạm', 'Station'), width: 90 },
        hospital,
        phase: {
          title: text('Trạng thái', 'State'),
          words: Object.fromEntries(
            Object.entries(phaseCounts.columns).map(([name, { title, color }]) => [
              name,
              { text: title ?? text(name, name), ...(color && { color }) },
            ]),
          ),
        },
        since_seconds: {
          title: text('Đã', 'For'),
          unit: 'dtdurations',
          decimals: 0,
          scale: rising(1_200, 2_400, 3_600),
        },
        said_at: { ...clock, title: text('Báo lúc', 'Said at') },
      },
    },
    {
      kind: 'bargauge',
      title: text('Bệnh viện được đề nghị nhiều nhất', 'Hospitals recommended most'),
      description: text(
        'Số cuộc gọi được đề nghị chuyển đến, trong khoảng thời gian; mười bệnh viện đầu.',
        'Calls for which the hospital was recommended first, in the range; the first ten.',
      ),
      width: 12,
      sql: `
SELECT recommended AS hospital, count() AS calls FROM (${callsSince(inRange)})
WHERE isNotNull(recommended) GROUP BY hospital ORDER BY calls DESC, hospital LIMIT 10`,
      eachRow: true,
      look: { ...calls, min: 0 },
      columns: { hospital, calls: { ...calls, title: text('Cuộc gọi', 'Calls') } },
    },
  ],
};

export const calls115: Board = {
  uid: 'mach-115',
  title: text('Cấp cứu 115', '115 emergency calls'),
  description: text(
    `Cuộc gọi 115: trả lời, tới nơi, ưu tiên, xe cấp cứu theo trạng thái. Nhiều nhất ${callsMax} cuộc gọi một lần xem.`,
    `115 calls: answers, arrivals, priorities, ambulances by state. ${callsMax} calls at most in one look.`,
  ),
  tags: ['115'],
  back: '24h',
  refresh: '10s',
  rows: [numbersRow, loadRow, timesRow, waitingRow],
};
