import { describe, expect, it } from 'vitest';
import type { EngineStatus } from '../../runtime/observe/status.ts';
import { type Board, liveScreen } from './screen.ts';

const row = {
  minute: '10:00',
  census: 52,
  ed_beds: 40,
  waiting: 12,
  boarding: 3,
  longest_wait: 47.4,
  ambulances: null,
  nedocs: 147.2,
  band: 'severely-overcrowded',
  level: 4,
};
const rows = [
  { ...row, hospital: 'H1', name: 'Bệnh viện Thử nghiệm An Bình' },
  { ...row, hospital: 'H2', name: 'Bệnh viện Thử nghiệm Nhi Đồng Hoa Mai' },
];
const status = { accounting: { in: 7 }, nodes: [] } as unknown as EngineStatus;

function screen(width: number | undefined, board: Partial<Board> = {}): string[] {
  const whole = { rows, calls: 0, alerts: [], ...board };
  return liveScreen({ board: whole, status, now: 0, progress: undefined, color: false, width }).split('\n');
}

describe('the live table', () => {
  it('shows everything where it has the room', () => {
    expect(screen(undefined)).toEqual(screen(200));
    const [head = '', , last = ''] = screen(200).slice(2);
    expect(head).toContain('BAND');
    expect(last).toMatch(
      /^H2 {2}Bệnh viện Thử nghiệm Nhi Đồng Hoa Mai +52 .* 47 min +unknown +147 {2}severely-overcrowded +4$/,
    );
  });

  it.each([40, 60, 80, 100, 120])('fits %i columns', (width) => {
    const table = screen(width).slice(2, 5);
    for (const line of table) expect(line.length).toBeLessThanOrEqual(width);
    expect(table[1]).toMatch(/^H1 {2}An Bình/);
  });

  it('keeps what matters most in 80 columns', () => {
    expect(screen(80)[2]?.split(/ +/)).toEqual([
      'ID',
      'HOSPITAL',
      'PATIENTS',
      'BEDS',
      'WAITING',
      'BOARDING',
      'NEDOCS',
      'LEVEL',
    ]);
  });

  it('shows hospitals without a name, and none', () => {
    const nameless = rows.map((one) => ({ ...one, name: null }));
    expect(screen(60, { rows: nameless })[3]).toMatch(/^H1 +52/);
    expect(screen(60, { rows: [] }).slice(2, 5)).toEqual([expect.stringMatching(/^ID/), '', expect.anything()]);
  });
});
