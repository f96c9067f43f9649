/** All alert rules. Alerts of departments come from the engine itself (operator `alert`); these watch over what the engine cannot see, first of all silence. */
import { alertsNow } from '../data/alerts.ts';
import { rowsMax } from '../data/bounds.ts';
import { callsSince } from '../data/calls.ts';
import { departmentsNow } from '../data/departments.ts';
import { nodesNow } from '../data/engine.ts';
import { feedAges, ordinarySilenceSeconds, origins } from '../data/freshness.ts';
import { text } from '../kit/text.ts';
import type { AlertRule } from './rule.ts';

const unclaimedMinutes = 15;
const recentMinutes = 15;
const recent = `$__toTime - INTERVAL ${recentMinutes} MINUTE`;

export const rules: readonly AlertRule[] = [
  {
    uid: 'mach-department-overloaded',
    title: text('Khoa cấp cứu quá tải', 'Emergency department overloaded'),
    summary: text(
      'Khoa cấp cứu {{ .Labels.hospital }} ở mức 4, quá tải.',
      'The emergency department of {{ .Labels.hospital }} is at level 4, overloaded.',
    ),
    action: text(
      'Chuyển xe cấp cứu sang nơi khác. Vì sao: npx mach why ed_status hospital={{ .Labels.hospital }}',
      'Send ambulances elsewhere. Why: npx mach why ed_status hospital={{ .Labels.hospital }}',
    ),
    sql: `SELECT hospital, toFloat64(level) AS level FROM (${departmentsNow([])}) WHERE isNotNull(level) ORDER BY hospital LIMIT ${rowsMax}`,
    lookBackMinutes: 15,
    above: 3,
    forMinutes: 5,
    noData: 'OK',
    severity: 'critical',
    board: 'mach-emergency',
  },
  {
    uid: 'mach-alert-unclaimed',
    title: text('Cảnh báo chưa ai nhận', 'Alerts that nobody has taken'),
    summary: text(
      `Có cảnh báo mở quá ${unclaimedMinutes} phút mà chưa ai nhận.`,
      `Alerts have been open for more than ${unclaimedMinutes} minutes and nobody has acknowledged them.`,
    ),
    action: text('Mở hộp cảnh báo và nhận.', 'Open the inbox and acknowledge them.'),
    sql: `SELECT toFloat64(countIf(state != 'cleared' AND isNull(acknowledged_by) AND open_seconds > ${unclaimedMinutes * 60})) AS unclaimed FROM (${alertsNow}) LIMIT 1`,
    lookBackMinutes: 60,
    above: 0,
    forMinutes: 0,
    noData: 'OK',
    severity: 'warning',
    board: 'mach-alerts',
  },
  {
    uid: 'mach-centre-silent',
    title: text('Trung tâm 115 im lặng', '115 centre silent'),
    summary: text('Không nghe gì từ trung tâm 115.', 'Nothing has been heard from the 115 centre.'),
    action: text('Kiểm tra đường truyền của nguồn centre.', 'Look at the connection of the source centre.'),
    sql: `SELECT toFloat64(centre) AS silent_seconds FROM (${feedAges}) WHERE isNotNull(centre) LIMIT 1`,
    lookBackMinutes: 15,
    above: ordinarySilenceSeconds.centre,
    forMinutes: 1,
    noData: 'Alerting',
    severity: 'critical',
    board: 'mach-wall',
  },
  {
    uid: 'mach-hospitals-silent',
    title: text('Nhiều bệnh viện im lặng', 'Many hospitals silent'),
    summary: text(
      'Hơn một phần mười bệnh viện không gửi gì trên nguồn {{ .Labels.source }}.',
      'More than a tenth of the hospitals send nothing by the feed {{ .Labels.source }}.',
    ),
    action: text('Xem ai im lặng trên bảng Hệ thống Mạch.', 'See who is silent on the board of the engine.'),
    sql: `SELECT source, countIf(is_silent) / count() AS silent_share FROM (${origins}) WHERE source IN ('adt', 'beds') GROUP BY source ORDER BY source LIMIT 10`,
    lookBackMinutes: 15,
    above: 0.1,
    forMinutes: 5,
    noData: 'Alerting',
    severity: 'warning',
    board: 'mach-wall',
  },
  {
    uid: 'mach-engine-silent',
    title: text('Mạch im lặng', 'The engine is silent'),
    summary: text('Hệ thống Mạch không ghi gì vào kho.', 'The engine writes nothing into the store.'),
    action: text('Xem /readyz và nhật ký của mach run.', 'Look at /readyz and the log of mach run.'),
    sql: `SELECT toFloat64(min(age_seconds)) AS silent_seconds FROM (${nodesNow([], [])}) HAVING count() > 0 LIMIT 1`,
    lookBackMinutes: 15,
    above: 60,
    forMinutes: 1,
    noData: 'Alerting',
    severity: 'critical',
    board: 'mach-engine',
  },
  {
    uid: 'mach-sinks-behind',
    title: text('Kết quả đến trễ', 'Results are late'),
    summary: text(
      'Đích {{ .Labels.node }} trễ hơn mười phút so với thời gian của máy.',
      'The sink {{ .Labels.node }} is more than ten minutes behind engine time.',
    ),
    action: text(
      'Xem ai giữ thời gian lại trên bảng Hệ thống Mạch.',
      'See who holds time back on the board of the engine.',
    ),
    sql: `SELECT node, lag_ms / 60000 AS lag_minutes FROM (${nodesNow([], ['lag_ms'])}) WHERE kind = 'sink' AND isNotNull(lag_ms) ORDER BY node LIMIT ${rowsMax}`,
    lookBackMinutes: 15,
    above: 10,
    forMinutes: 5,
    noData: 'OK',
    severity: 'warning',
    board: 'mach-engine',
  },
  {
    uid: 'mach-dead-letters',
    title: text('Tin không đọc được', 'Messages that cannot be read'),
    summary: text(
      `Nguồn {{ .Labels.node }} nhận tin không đọc được trong ${recentMinutes} phút qua.`,
      `The source {{ .Labels.node }} got messages that cannot be read in the last ${recentMinutes} minutes.`,
    ),
    action: text('Xem: npx mach dead-letter list', 'Look: npx mach dead-letter list'),
    sql: `
SELECT node, sum(gain) AS dead_letters FROM (
  SELECT worker, node, toFloat64(max(dead_events) - min(dead_events)) AS gain FROM engine_nodes
  WHERE at > ${recent} AND at <= $__toTime AND kind = 'source' GROUP BY worker, node
) GROUP BY node ORDER BY node LIMIT ${rowsMax}`,
    lookBackMinutes: 15,
    above: 0,
    forMinutes: 0,
    noData: 'OK',
    severity: 'warning',
    board: 'mach-engine',
  },
  {
    uid: 'mach-calls-unanswered',
    title: text('Cuộc gọi 115 chờ lâu', '115 calls wait long'),
    summary: text(
      `Trong ${recentMinutes} phút qua, một phần mười cuộc gọi chờ hơn 30 giây mới có người trả lời.`,
      `In the last ${recentMinutes} minutes a tenth of the calls waited more than 30 seconds for an answer.`,
    ),
    action: text('Thêm người trực tổng đài.', 'Bring in more dispatchers.'),
    sql: `SELECT quantile(0.9)(answer_seconds) AS answer_p90 FROM (${callsSince(recent)}) WHERE isNotNull(answer_seconds) HAVING count() > 0 LIMIT 1`,
    lookBackMinutes: 15,
    above: 30,
    forMinutes: 0,
    noData: 'OK',
    severity: 'warning',
    board: 'mach-115',
  },
];
