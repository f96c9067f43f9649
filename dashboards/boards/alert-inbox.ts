/** The alert inbox: what is open, who has it, and how long it takes. */
import { alertsNow } from '../data/alerts.ts';
import { pointsMax } from '../data/bounds.ts';
import type { Board, Row } from '../kit/board.ts';
import type { Look } from '../kit/look.ts';
import { palette, rising } from '../kit/palette.ts';
import { text } from '../kit/text.ts';
import { clock, none, severity, whyLink } from '../kit/words.ts';

const alerts: Look = { unit: text(' cảnh báo', ' alerts'), decimals: 0 };
const duration: Look = { unit: 'dtdurations', decimals: 0, absent: none };

const states = {
  raised: { text: text('mới', 'raised'), color: palette.severe },
  escalated: { text: text('nặng lên', 'escalated'), color: palette.severe },
  reminded: { text: text('nhắc lại', 'reminded'), color: palette.severe },
  acknowledged: { text: text('đã nhận', 'acknowledged'), color: palette.watch },
  assigned: { text: text('đã giao', 'assigned'), color: palette.calm },
  noted: { text: text('có ghi chú', 'noted'), color: palette.calm },
  cleared: { text: text('đã hết', 'cleared'), color: palette.plain },
};

const columns: Readonly<Record<string, Look>> = {
  hospital: { title: text('Bệnh viện', 'Hospital'), link: whyLink, width: 100 },
  severity: { ...severity, filled: true, width: 130 },
  state: { title: text('Trạng thái', 'State'), words: states, width: 130 },
  raised_at: { ...clock, unit: 'time:DD/MM HH:mm', title: text('Từ lúc', 'Raised at'), width: 130 },
  open_seconds: { ...duration, title: text('Đã mở', 'Open for'), scale: rising(1_800, 3_600, 7_200), width: 130 },
  acknowledged_by: {
    title: text('Người nhận', 'Acknowledged by'),
    absent: { text: text('chưa có ai', 'nobody yet'), color: palette.warning },
  },
  acknowledged_after_seconds: { ...duration, title: text('Nhận sau', 'Acknowledged after'), width: 130 },
  assigned_to: { title: text('Giao cho', 'Assigned to'), absent: none },
  reason: { title: text('Vì', 'Because'), link: whyLink },
  note: { title: text('Ghi chú', 'Note'), absent: none },
  alert_id: { title: text('Mã cảnh báo', 'Alert'), hidden: true },
};
const shown = Object.keys(columns).join(', ');

const openRow: Row = {
  question: text('Việc gì đang chờ người nhận?', 'What waits for somebody to take it?'),
  height: 4,
  panels: [
    {
      kind: 'stat',
      title: text('Đang mở', 'Open'),
      description: text('Cảnh báo của bảy ngày qua chưa hết.', 'Alerts of the last seven days that have not cleared.'),
      width: 14,
      sql: `
SELECT countIf(state != 'cleared') AS open, countIf(state != 'cleared' AND severity >= 2) AS severe,
  countIf(state != 'cleared' AND isNull(acknowledged_by)) AS unclaimed,
  maxOrNull(if(state != 'cleared' AND isNull(acknowledged_by), open_seconds, NULL)) AS longest
FROM (${alertsNow}) LIMIT 1`,
      look: alerts,
      columns: {
        open: { title: text('Đang mở', 'Open'), scale: rising(1, 10, 25) },
        severe: { title: text('Nghiêm trọng', 'Severe'), scale: rising(1, 3, 6) },
        unclaimed: { title: text('Chưa ai nhận', 'Nobody has it'), scale: rising(1, 3, 6) },
        longest: { ...duration, title: text('Chờ lâu nhất', 'Longest wait'), scale: rising(300, 900, 1_800) },
      },
    },
    {
      kind: 'stat',
      title: text('Nhận và giải quyết trong khoảng thời gian', 'Taken and cleared in the range'),
      description: text(
        'Trung vị: từ lúc nổi lên đến lúc có người nhận, và đến lúc hết.',
        'Medians: from raised to acknowledged, and to cleared.',
      ),
      width: 10,
      sql: `
SELECT countIf(raised_at >= $__fromTime) AS raised,
  medianOrNull(if(raised_at >= $__fromTime, acknowledged_after_seconds, NULL)) AS taken,
  medianOrNull(if(raised_at >= $__fromTime AND state = 'cleared', open_seconds, NULL)) AS cleared
FROM (${alertsNow}) LIMIT 1`,
      look: alerts,
      columns: {
        raised: { title: text('Đã nổi lên', 'Raised'), color: palette.plain },
        taken: { ...duration, title: text('Có người nhận sau', 'Taken after'), scale: rising(300, 600, 1_200) },
        cleared: { ...duration, title: text('Hết sau', 'Cleared after'), color: palette.plain },
      },
    },
  ],
};

const inboxRow: Row = {
  question: text('Cảnh báo nào đang mở, ai đang lo?', 'Which alerts are open, and who takes care?'),
  height: 12,
  panels: [
    {
      kind: 'table',
      title: text('Hộp cảnh báo', 'Inbox'),
      description: text(
        'Chưa ai nhận ở trên, rồi nặng nhất, rồi lâu nhất. Bấm vào bệnh viện hoặc lý do để xem vì sao.',
        'Those that nobody has first, then the most severe, then the longest open. The hospital and the reason lead to the cause.',
      ),
      width: 24,
      sql: `
SELECT ${shown} FROM (${alertsNow}) WHERE state != 'cleared'
ORDER BY isNull(acknowledged_by) DESC, severity DESC, open_seconds DESC LIMIT 200`,
      look: {},
      columns,
    },
  ],
};

const pastRow: Row = {
  question: text('Đã có những cảnh báo nào?', 'Which alerts have there been?'),
  height: 10,
  panels: [
    {
      kind: 'timeseries',
      title: text('Cảnh báo nổi lên mỗi giờ', 'Alerts raised each hour'),
      description: text('Theo mức độ lúc nổi lên hoặc khi nặng lên.', 'By severity, when raised or escalated.'),
      width: 10,
      bars: true,
      stacked: true,
      sql: `
SELECT toStartOfInterval(at, INTERVAL greatest(3600, $__interval_s) second) AS time, countIf(state = 'raised') AS raised, countIf(state = 'escalated') AS escalated
FROM alerts WHERE $__timeFilter_ms(at) AND state IN ('raised', 'escalated') GROUP BY time ORDER BY time LIMIT ${pointsMax}`,
      look: { ...alerts, min: 0 },
      columns: {
        raised: { title: text('Nổi lên', 'Raised'), color: palette.warning },
        escalated: { title: text('Nặng lên', 'Escalated'), color: palette.severe },
      },
    },
    {
      kind: 'table',
      title: text('Đã hết', 'Cleared'),
      description: text('Mới nhất ở trên, trong bảy ngày qua.', 'The newest first, of the last seven days.'),
      width: 14,
      sql: `SELECT hospital, severity, raised_at, open_seconds, acknowledged_by, reason, alert_id FROM (${alertsNow})
WHERE state = 'cleared' AND changed_at >= $__fromTime ORDER BY changed_at DESC LIMIT 200`,
      look: {},
      columns: {
        ...Object.fromEntries(
          ['hospital', 'severity', 'raised_at', 'acknowledged_by', 'reason', 'alert_id'].map((name) => [
            name,
            columns[name] ?? {},
          ]),
        ),
        open_seconds: { ...duration, title: text('Kéo dài', 'Lasted'), width: 130 },
      },
    },
  ],
};

export const alertInbox: Board = {
  uid: 'mach-alerts',
  title: text('Hộp cảnh báo', 'Alert inbox'),
  description: text(
    'Cảnh báo đang mở, ai đã nhận, đã mở bao lâu, và vì sao.',
    'Open alerts, who has acknowledged them, for how long they have been open, and why.',
  ),
  tags: ['alerts'],
  back: '24h',
  refresh: '10s',
  rows: [openRow, inboxRow, pastRow],
};
