/** The wall: the whole city at a glance, to be read from the other end of the room. */
import { alertsNow } from '../data/alerts.ts';
import { pointsMax, rowsMax } from '../data/bounds.ts';
import { arrivalsSince, callsSince } from '../data/calls.ts';
import { departmentsNow, levelCounts, statusInRange } from '../data/departments.ts';
import { nodesNow } from '../data/engine.ts';
import { feedAges, ordinarySilenceSeconds, origins } from '../data/freshness.ts';
import type { Board, Row } from '../kit/board.ts';
import { palette, rising } from '../kit/palette.ts';
import { text } from '../kit/text.ts';
import {
  ambulances,
  answerSeconds,
  arrivalMinutes,
  calls,
  departments,
  hospital,
  level,
  nedocs,
  patients,
  severity,
  silence,
  unknown,
  whyLink,
} from '../kit/words.ts';

const cityRow: Row = {
  question: text('Thành phố đang ra sao?', 'How is the city?'),
  height: 4,
  panels: [
    {
      kind: 'stat',
      title: text('Khoa cấp cứu theo mức', 'Departments by level'),
      description: levelCounts.description,
      width: 13,
      sql: `SELECT ${levelCounts.sql} FROM (${departmentsNow([])}) LIMIT 1`,
      look: departments,
      columns: levelCounts.columns,
    },
    {
      kind: 'stat',
      title: text('115 trong một giờ qua', '115 in the last hour'),
      description: text(
        'Cuộc gọi nhận trong 60 phút qua. Trả lời: từ nhận đến nhấc máy. Tới nơi: từ nhận đến khi xe đầu tiên tới hiện trường.',
        'Calls received in the last 60 minutes. Answered: from received to answered. At the scene: from received to the first ambulance there.',
      ),
      width: 11,
      sql: `
SELECT calls, waiting, answer_p90, arrival_median FROM (
  SELECT count() AS calls, countIf(isNull(answered_at) AND isNull(abandoned_at)) AS waiting, quantileOrNull(0.9)(answer_seconds) AS answer_p90
  FROM (${callsSince('$__toTime - INTERVAL 1 HOUR')})
) AS c CROSS JOIN (SELECT medianOrNull(arrival_minutes) AS arrival_median FROM (${arrivalsSince('$__toTime - INTERVAL 1 HOUR')})) AS a LIMIT 1`,
      look: calls,
      columns: {
        calls: { title: text('Cuộc gọi', 'Calls'), color: palette.plain },
        waiting: { title: text('Chưa trả lời', 'Not answered yet'), scale: rising(2, 4, 8) },
        answer_p90: { ...answerSeconds, title: text('9/10 trả lời trong', '9 of 10 answered in') },
        arrival_median: { ...arrivalMinutes, title: text('Một nửa tới nơi trong', 'Half at the scene in') },
      },
    },
  ],
};

const placeRow: Row = {
  question: text('Nơi nào quá tải, cảnh báo nào đang mở?', 'Where is it overloaded, and which alerts are open?'),
  height: 15,
  panels: [
    {
      kind: 'geomap',
      title: text('Bệnh viện theo mức', 'Hospitals by level'),
      description: text(
        'Màu là mức quá tải, cỡ là số người ở khoa cấp cứu. Xám: im lặng hoặc chưa biết.',
        'The colour is the overload level, the size the patients in the department. Grey: silent or not known.',
      ),
      width: 14,
      sql: `
SELECT hospital, name, latitude, longitude, ifNull(level, 0) AS level, ifNull(census, 0) AS census, nedocs
FROM (${departmentsNow(['census', 'nedocs'])})
WHERE isNotNull(latitude) AND isNotNull(longitude) ORDER BY level, hospital LIMIT ${rowsMax}`,
      color: 'level',
      size: 'census',
      sizeMax: 80,
      label: 'hospital',
      look: { absent: unknown },
      columns: {
        hospital,
        name: { title: text('Tên', 'Name') },
        level,
        census: { ...patients, title: text('Đang ở cấp cứu', 'In the department') },
        nedocs,
      },
    },
    {
      kind: 'table',
      title: text('Cảnh báo đang mở', 'Open alerts'),
      description: text(
        'Nặng nhất và lâu nhất ở trên. Bấm vào bệnh viện để xem vì sao có cảnh báo.',
        'The most severe and the longest open first. The hospital leads to the cause of the alert.',
      ),
      width: 10,
      sql: `
SELECT hospital, severity, open_seconds, acknowledged_by, alert_id FROM (${alertsNow})
WHERE state != 'cleared' ORDER BY severity DESC, open_seconds DESC LIMIT 12`,
      look: { absent: unknown },
      columns: {
        hospital: { title: text('Bệnh viện', 'Hospital'), link: whyLink, width: 100 },
        severity: { ...severity, filled: true, width: 130 },
        open_seconds: { title: text('Đã mở', 'Open for'), unit: 'dtdurations', decimals: 0, width: 130 },
        acknowledged_by: {
          title: text('Người nhận', 'Acknowledged by'),
          absent: { text: text('chưa có ai', 'nobody yet'), color: palette.warning },
        },
        alert_id: { title: text('Mã cảnh báo', 'Alert'), hidden: true },
      },
    },
  ],
};

const feedRow: Row = {
  question: text('Có nguồn nào đang im lặng?', 'Is any feed silent?'),
  height: 5,
  panels: [
    {
      kind: 'stat',
      title: text('Tuổi của tin mới nhất', 'Age of the newest message'),
      description: text(
        'Của mỗi nguồn và của chính hệ thống Mạch. Nguồn không ai nghe thấy trong sáu giờ qua vẫn ở đây, với chữ IM LẶNG.',
        'Of each feed, and of Mạch itself. A feed that nobody has heard in the last six hours is here all the same, as SILENT.',
      ),
      width: 11,
      sql: `
SELECT centre, adt, beds, engine FROM (${feedAges}) AS f CROSS JOIN (SELECT minOrNull(age_seconds) AS engine FROM (${nodesNow([], [])})) AS e LIMIT 1`,
      look: silence(ordinarySilenceSeconds.adt),
      columns: {
        centre: { ...silence(ordinarySilenceSeconds.centre), title: text('Trung tâm 115', '115 centre') },
        adt: { ...silence(ordinarySilenceSeconds.centre), title: text('Nhập viện (HL7)', 'Admissions (HL7)') },
        beds: { ...silence(ordinarySilenceSeconds.beds), title: text('Tệp giường', 'Bed files') },
        engine: { ...silence(60), title: text('Mạch', 'Mạch') },
      },
    },
    {
      kind: 'stat',
      title: text('Bệnh viện im lặng', 'Silent hospitals'),
      description: text(
        'Không gửi gì lâu hơn mức bình thường: tin nhập viện 10 phút, tệp giường 40 phút.',
        'Have sent nothing for longer than is ordinary: admissions 10 minutes, bed files 40 minutes.',
      ),
      width: 5,
      sql: `SELECT countIf(source = 'adt' AND is_silent) AS adt, countIf(source = 'beds' AND is_silent) AS beds FROM (${origins}) LIMIT 1`,
      look: { unit: text(' nơi', ' hospitals'), decimals: 0, scale: rising(1, 5, 15) },
      columns: {
        adt: { title: text('Nhập viện (HL7)', 'Admissions (HL7)') },
        beds: { title: text('Tệp giường', 'Bed files') },
      },
    },
    {
      kind: 'timeseries',
      title: text('Người ở cấp cứu và xe đang tới', 'Patients in departments, ambulances on the way'),
      description: text('Tổng của thành phố.', 'Sums over the city.'),
      width: 8,
      sql: `
SELECT $__timeInterval_ms(minute) AS time, sum(census) / uniqExact(minute) AS census, sum(ambulances_on_the_way) / uniqExact(minute) AS ambulances
FROM (${statusInRange(['census', 'ambulances_on_the_way'])}) GROUP BY time ORDER BY time LIMIT ${pointsMax}`,
      look: { unit: text(' người', ' patients'), decimals: 0, min: 0 },
      columns: {
        census: { title: text('Đang ở cấp cứu', 'In departments'), color: palette.calm },
        ambulances: { ...ambulances, title: text('Xe đang tới', 'Ambulances on the way'), color: palette.warning },
      },
    },
  ],
};

export const wall: Board = {
  uid: 'mach-wall',
  title: text('Toàn cảnh', 'The wall'),
  description: text(
    'Thành phố lúc này: bệnh viện theo mức quá tải, cuộc gọi 115, cảnh báo đang mở, nguồn đang im lặng.',
    'The city now: hospitals by overload level, 115 calls, open alerts, silent feeds.',
  ),
  tags: ['wall'],
  back: '6h',
  refresh: '10s',
  rows: [cityRow, placeRow, feedRow],
};
