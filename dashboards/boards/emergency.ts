/** Emergency coordination: where patients can go, hospital by hospital. */
import { pointsMax, rowsMax } from '../data/bounds.ts';
import {
  chosenHospitals,
  departmentsNow,
  hospitalChoice,
  levelCounts,
  presentBeds,
  statusInRange,
} from '../data/departments.ts';
import type { Board } from '../kit/board.ts';
import { falling, palette, rising } from '../kit/palette.ts';
import { text } from '../kit/text.ts';
import {
  ambulances,
  beds,
  clock,
  departments,
  hospital,
  level,
  minutes,
  nedocs,
  patients,
  unknown,
} from '../kit/words.ts';

const shown = [
  'nedocs',
  'census',
  'ed_beds',
  'boarding',
  'waiting',
  'longest_wait_minutes',
  'ambulances_on_the_way',
  'ambulances_waiting',
];

const perHospital = `
SELECT d.hospital AS hospital, d.name AS name, d.level AS level, ${shown.map((name) => `d.${name} AS ${name}`).join(', ')},
  b.hospital_beds - b.occupied_beds AS free_beds, b.icu_beds - b.icu_occupied AS free_icu_beds, d.seen_at AS seen_at
FROM (${departmentsNow(shown)}) AS d
LEFT JOIN (${presentBeds(['hospital_beds', 'occupied_beds', 'icu_beds', 'icu_occupied'])}) AS b ON b.hospital = d.hospital
WHERE ${chosenHospitals}
ORDER BY level DESC NULLS LAST, nedocs DESC NULLS LAST, hospital LIMIT ${rowsMax}`;

export const emergency: Board = {
  uid: 'mach-emergency',
  title: text('Điều phối cấp cứu', 'Emergency coordination'),
  description: text(
    'Mỗi khoa cấp cứu: mức quá tải, NEDOCS, số người, người chờ giường, thời gian chờ, xe đang tới, giường trống.',
    'Every emergency department: overload level, NEDOCS, census, boarding, waits, ambulances on the way, free beds.',
  ),
  tags: ['emergency'],
  back: '6h',
  refresh: '10s',
  choices: [hospitalChoice],
  rows: [
    {
      question: text('Bao nhiêu khoa cấp cứu đang quá tải?', 'How many emergency departments are overloaded?'),
      height: 4,
      panels: [
        {
          kind: 'stat',
          title: text('Khoa cấp cứu theo mức', 'Departments by level'),
          description: levelCounts.description,
          width: 14,
          sql: `SELECT ${levelCounts.sql} FROM (${perHospital}) LIMIT 1`,
          look: departments,
          columns: levelCounts.columns,
        },
        {
          kind: 'stat',
          title: text('Toàn thành phố', 'The whole city'),
          description: text('Tổng của các bệnh viện được chọn lúc này.', 'Sums over the hospitals chosen, now.'),
          width: 10,
          fill: 'value',
          sql: `SELECT sum(census) AS census, sum(boarding) AS boarding, sum(ambulances_on_the_way) AS ambulances, sum(free_beds) AS free_beds FROM (${perHospital}) LIMIT 1`,
          look: patients,
          columns: {
            census: { title: text('Ở cấp cứu', 'In departments') },
            boarding: { title: text('Chờ giường', 'Boarding') },
            ambulances: { ...ambulances, title: text('Xe đang tới', 'Ambulances on the way') },
            free_beds: { ...beds, title: text('Giường trống', 'Free beds') },
          },
        },
      ],
    },
    {
      question: text(
        'Bệnh viện nào còn nhận được, bệnh viện nào không?',
        'Which hospitals can take patients, and which cannot?',
      ),
      height: 13,
      panels: [
        {
          kind: 'table',
          title: text('Từng bệnh viện lúc này, nặng nhất ở trên', 'Every hospital now, the worst first'),
          description: text(
            'Hình ảnh mới nhất của mỗi khoa trong 15 phút qua; giường theo tệp mới nhất trong một ngày.',
            'The newest picture of each department in the last 15 minutes; beds from the newest file of the last day.',
          ),
          width: 24,
          sql: perHospital,
          look: { absent: unknown },
          columns: {
            hospital: { ...hospital, title: text('Mã', 'ID'), width: 70 },
            name: { ...hospital, width: 260 },
            level: { ...level, width: 140, filled: true },
            nedocs: { ...nedocs, width: 110 },
            census: { ...patients, title: text('Đang ở', 'Census') },
            ed_beds: { title: text('Chỗ cấp cứu', 'ED places'), unit: text(' chỗ', ' places'), decimals: 0 },
            boarding: { ...patients, title: text('Chờ giường', 'Boarding'), scale: rising(4, 8, 12) },
            waiting: { ...patients, title: text('Chờ khám', 'Waiting') },
            longest_wait_minutes: {
              ...minutes,
              title: text('Chờ lâu nhất', 'Longest wait'),
              scale: rising(60, 120, 240),
            },
            ambulances_on_the_way: { ...ambulances, title: text('Xe đang tới', 'On the way') },
            ambulances_waiting: {
              ...ambulances,
              title: text('Xe chờ bàn giao', 'Waiting to hand over'),
              scale: rising(1, 3, 5),
            },
            free_beds: {
              title: text('Giường trống', 'Free beds'),
              unit: text(' giường', ' beds'),
              decimals: 0,
              scale: falling(40, 20, 5),
            },
            free_icu_beds: {
              title: text('Hồi sức trống', 'Free ICU beds'),
              unit: text(' giường', ' beds'),
              decimals: 0,
              scale: falling(3, 2, 1),
            },
            seen_at: { ...clock, title: text('Lúc', 'As of') },
          },
        },
      ],
    },
    {
      question: text('Đang tốt lên hay xấu đi?', 'Is it getting better or worse?'),
      height: 9,
      panels: [
        {
          kind: 'timeseries',
          title: text('NEDOCS, tám bệnh viện nặng nhất', 'NEDOCS, the eight worst hospitals'),
          description: text(
            'Tám bệnh viện được chọn có NEDOCS trung bình cao nhất trong khoảng thời gian; 100 là quá đông, 140 là nghiêm trọng.',
            'The eight of the hospitals chosen with the highest mean NEDOCS in the range; 100 is overcrowded, 140 severely.',
          ),
          width: 12,
          limits: true,
          sql: `
WITH pictures AS (${statusInRange(['nedocs'], chosenHospitals)}),
  worst AS (SELECT hospital FROM pictures GROUP BY hospital ORDER BY avg(nedocs) DESC LIMIT 8)
SELECT $__timeInterval_ms(minute) AS time, hospital, avg(nedocs) AS nedocs FROM pictures
WHERE hospital IN (SELECT hospital FROM worst)
GROUP BY time, hospital ORDER BY time LIMIT ${pointsMax}`,
          look: { ...nedocs, title: text('${__field.labels.hospital}', '${__field.labels.hospital}') },
        },
        {
          kind: 'timeseries',
          title: text('Người ở cấp cứu và người chờ giường', 'Patients in departments, and boarding'),
          description: text('Tổng của các bệnh viện được chọn.', 'Sums over the hospitals chosen.'),
          width: 12,
          sql: `
SELECT $__timeInterval_ms(minute) AS time, sum(census) / uniqExact(minute) AS census, sum(boarding) / uniqExact(minute) AS boarding
FROM (${statusInRange(['census', 'boarding'], chosenHospitals)})
GROUP BY time ORDER BY time LIMIT ${pointsMax}`,
          look: { unit: text(' người', ' patients'), decimals: 0, min: 0 },
          columns: {
            census: { title: text('Đang ở cấp cứu', 'In departments'), color: palette.calm },
            boarding: { title: text('Chờ giường', 'Boarding'), color: palette.warning },
          },
        },
      ],
    },
    {
      question: text('Mức của từng khoa đã đổi thế nào?', 'How has the level of each department changed?'),
      height: 12,
      panels: [
        {
          kind: 'state-timeline',
          title: text('Mức của hai mươi khoa nặng nhất', 'Level of the twenty worst departments'),
          description: text('Mức cao nhất trong mỗi khoảng.', 'The highest level in each interval.'),
          width: 24,
          sql: `
WITH pictures AS (${statusInRange(['level'], chosenHospitals)}),
  worst AS (SELECT hospital FROM pictures GROUP BY hospital ORDER BY avg(level) DESC, hospital LIMIT 20)
SELECT $__timeInterval_ms(minute) AS time, hospital, max(level) AS level FROM pictures
WHERE hospital IN (SELECT hospital FROM worst)
GROUP BY time, hospital ORDER BY time LIMIT ${pointsMax}`,
          look: {
            ...level,
            title: text('${__field.labels.hospital}', '${__field.labels.hospital}'),
          },
        },
      ],
    },
  ],
};
