/** The engine: does everything that comes in come out, in time? */
import { pointsMax } from '../data/bounds.ts';
import { gains, nodesNow } from '../data/engine.ts';
import { lastHeard } from '../data/freshness.ts';
import type { Board, Row } from '../kit/board.ts';
import type { Look } from '../kit/look.ts';
import { noneScale, palette, rising } from '../kit/palette.ts';
import { text } from '../kit/text.ts';
import { clock, none, silence, unknown } from '../kit/words.ts';

const events: Look = { unit: text(' sự kiện', ' events'), decimals: 0 };
const lag: Look = { unit: 'ms', decimals: 0, scale: rising(60_000, 180_000, 600_000), absent: none };
const perSecond: Look = { unit: text(' sự kiện/s', ' events/s'), decimals: 1, min: 0 };
const series = text('${__field.labels.node}', '${__field.labels.node}');
const kinds = {
  source: { text: text('nguồn', 'source') },
  operator: { text: text('bước xử lý', 'operator') },
  sink: { text: text('đích', 'sink') },
};

const nowRow: Row = {
  question: text('Hệ thống có đang chạy và kịp không?', 'Is the engine running, and does it keep up?'),
  height: 4,
  panels: [
    {
      kind: 'stat',
      title: text('Lúc này', 'Now'),
      description: text(
        'Tin cuối của Mạch; trễ nhất: thời gian của máy trừ đi mốc thời gian chậm nhất của các đích; xếp hàng: trước mọi nút; thư chết: từ khi chạy.',
        'The last word of Mạch; furthest behind: engine time less the slowest watermark of the sinks; waiting: before all nodes; dead letters: since it began.',
      ),
      width: 24,
      sql: `
SELECT minOrNull(age_seconds) AS heard, maxOrNull(if(kind = 'sink', lag_ms, NULL)) AS lag, sumOrNull(queue_events) AS waiting,
  sumOrNull(if(kind = 'source', dead_events, 0)) AS dead_letters, maxOrNull(latency_p99_ms) AS latency
FROM (${nodesNow(['queue_events', 'dead_events'], ['lag_ms', 'latency_p99_ms'])}) LIMIT 1`,
      look: { ...events, absent: unknown },
      columns: {
        heard: { ...silence(60), title: text('Tin cuối', 'Last heard') },
        lag: { ...lag, title: text('Trễ nhất', 'Furthest behind') },
        waiting: { title: text('Đang xếp hàng', 'Waiting'), scale: rising(1_000, 10_000, 40_000) },
        dead_letters: { title: text('Thư chết', 'Dead letters'), scale: rising(1, 100, 1_000) },
        latency: {
          title: text('Từ nhận đến hàng, p99', 'Accepted to row, p99'),
          unit: 'ms',
          decimals: 0,
          scale: rising(2_000, 5_000, 15_000),
        },
      },
    },
  ],
};

const flowRow: Row = {
  question: text('Bao nhiêu vào, bao nhiêu ra?', 'How much comes in, how much goes out?'),
  height: 8,
  panels: [
    {
      kind: 'timeseries',
      title: text('Vào từ các nguồn', 'In, by source'),
      description: text('Sự kiện mỗi giây đến mỗi nguồn.', 'Events a second that reach each source.'),
      width: 12,
      sql: `SELECT time, node, in_events_gain / $__interval_s AS rate FROM (${gains(['in_events'], "kind = 'source'")}) ORDER BY time LIMIT ${pointsMax}`,
      look: { ...perSecond, title: series },
    },
    {
      kind: 'timeseries',
      title: text('Ra ở các đích', 'Out, by sink'),
      description: text('Hàng mỗi giây được ghi ở mỗi đích.', 'Rows a second written by each sink.'),
      width: 12,
      sql: `SELECT time, node, out_events_gain / $__interval_s AS rate FROM (${gains(['out_events'], "kind = 'sink'")}) ORDER BY time LIMIT ${pointsMax}`,
      look: { ...perSecond, unit: text(' hàng/s', ' rows/s'), title: series },
    },
  ],
};

const timeRow: Row = {
  question: text('Ai đang giữ thời gian lại?', 'Who holds time back?'),
  height: 8,
  panels: [
    {
      kind: 'timeseries',
      title: text('Độ trễ của mốc thời gian', 'Lag of watermarks'),
      description: text(
        'Thời gian của máy trừ đi mốc thời gian: nguồn và đích.',
        'Engine time less watermark: sources and sinks.',
      ),
      width: 12,
      limits: true,
      sql: `
SELECT $__timeInterval_ms(at) AS time, node, max(lag_ms) AS lag FROM engine_nodes WHERE $__timeFilter_ms(at) AND kind IN ('source', 'sink')
GROUP BY time, node ORDER BY time LIMIT ${pointsMax}`,
      look: { ...lag, title: series },
    },
    {
      kind: 'timeseries',
      title: text('Thời gian bị phía sau giữ lại', 'Time held up by what is behind'),
      description: text(
        'Phần của mỗi giây mà nguồn hoặc đích phải chờ.',
        'The share of each second in which a source or a sink had to wait.',
      ),
      width: 12,
      sql: `
SELECT time, node, least(1, backpressured_ms_gain / 1000 / $__interval_s) AS share FROM (${gains(['backpressured_ms'], "kind IN ('source', 'sink')")})
ORDER BY time LIMIT ${pointsMax}`,
      look: { unit: 'percentunit', decimals: 0, min: 0, max: 1, title: series, scale: rising(0.3, 0.6, 0.9) },
    },
  ],
};

const lossRow: Row = {
  question: text('Có gì không tới nơi?', 'What has not arrived?'),
  height: 8,
  panels: [
    {
      kind: 'timeseries',
      title: text('Muộn, bị bỏ, thành thư chết', 'Late, dropped, dead'),
      description: text(
        'Sự kiện trong mỗi khoảng; không cái nào mất: mỗi cái đều được đếm.',
        'Events in each interval; none is lost: each is counted.',
      ),
      width: 12,
      bars: true,
      stacked: true,
      sql: `
SELECT time, sum(late_events_gain) AS late, sum(dropped_events_gain) AS dropped, sum(dead_events_gain) AS dead
FROM (${gains(['late_events', 'dropped_events', 'dead_events'], '1')}) GROUP BY time ORDER BY time LIMIT ${pointsMax}`,
      look: { ...events, min: 0 },
      columns: {
        late: { title: text('Muộn', 'Late'), color: palette.watch },
        dropped: { title: text('Bị bỏ', 'Dropped'), color: palette.plain },
        dead: { title: text('Thư chết', 'Dead letters'), color: palette.severe },
      },
    },
    {
      kind: 'table',
      title: text('Ai im lặng lâu nhất', 'Who has been silent longest'),
      description: text('Của các nguồn, trong sáu giờ qua.', 'Of all sources, in the last six hours.'),
      width: 12,
      sql: `SELECT topology, source, origin, heard_at, age_seconds FROM (${lastHeard}) ORDER BY age_seconds DESC LIMIT 50`,
      look: { absent: unknown },
      columns: {
        topology: { title: text('Sơ đồ', 'Topology') },
        source: { title: text('Nguồn', 'Source'), width: 100 },
        origin: { title: text('Nơi gửi', 'Origin'), width: 100 },
        heard_at: { ...clock, title: text('Nghe lần cuối', 'Last heard') },
        age_seconds: {
          title: text('Im lặng', 'Silent for'),
          unit: 'dtdurations',
          decimals: 0,
          scale: rising(600, 1_800, 3_600),
        },
      },
    },
  ],
};

const nodeRow: Row = {
  question: text('Từng nút đang thế nào?', 'How is each node?'),
  height: 14,
  panels: [
    {
      kind: 'table',
      title: text('Các nút', 'Nodes'),
      description: text(
        'Số đếm từ khi sơ đồ bắt đầu; nguồn: từ khi tiến trình bắt đầu.',
        'Counts since the topology began; of sources since their process began.',
      ),
      width: 24,
      sql: `
SELECT topology, node, kind, in_events, out_events, late_events, dropped_events, dead_events, queue_events, state_keys, lag_ms, retries, age_seconds
FROM (${nodesNow(['in_events', 'out_events', 'late_events', 'dropped_events', 'dead_events', 'queue_events', 'state_keys', 'retries'], ['lag_ms'])})
ORDER BY topology, kind = 'operator', kind = 'sink', node LIMIT 500`,
      look: { ...events, absent: none },
      columns: {
        topology: { title: text('Sơ đồ', 'Topology'), width: 180 },
        node: { title: text('Nút', 'Node'), width: 170 },
        kind: { title: text('Loại', 'Kind'), words: kinds, width: 110 },
        in_events: { title: text('Vào', 'In') },
        out_events: { title: text('Ra', 'Out') },
        late_events: { title: text('Muộn', 'Late') },
        dropped_events: { title: text('Bị bỏ', 'Dropped') },
        dead_events: { title: text('Thư chết', 'Dead'), scale: noneScale },
        queue_events: { title: text('Xếp hàng', 'Waiting'), scale: rising(1_000, 10_000, 40_000) },
        state_keys: { title: text('Khóa', 'Keys'), unit: text(' khóa', ' keys') },
        lag_ms: { ...lag, title: text('Trễ', 'Lag') },
        retries: { title: text('Ghi lại', 'Retries'), unit: text(' lần', ' times') },
        age_seconds: { ...silence(60), title: text('Tin cuối', 'Last heard') },
      },
    },
  ],
};

export const engine: Board = {
  uid: 'mach-engine',
  title: text('Hệ thống Mạch', 'The engine'),
  description: text(
    'Thông lượng, độ trễ, mốc thời gian, áp lực ngược và thư chết của hệ thống.',
    'Throughput, lag, watermarks, backpressure and dead letters of the engine.',
  ),
  tags: ['engine'],
  back: '6h',
  refresh: '30s',
  rows: [nowRow, flowRow, timeRow, lossRow, nodeRow],
};
