import { describe, expect, it } from 'vitest';
import {
  edwin,
  edwinBand,
  type IcmedValues,
  icmed,
  icmedMeasures,
  nedocs,
  nedocsBand,
  overloadLevel,
} from './scores.ts';

const nothing: IcmedValues = {
  offloadP90Minutes: null,
  leftWithoutBeingSeenShare: null,
  triageWaitMinutes: null,
  edPatients: null,
  edBeds: null,
  lengthOfStayP90Minutes: null,
  emergentWaitMinutes: null,
  admittedLeftShare: null,
  boarding: null,
};

describe('NEDOCS', () => {
  const quiet = {
    edPatients: 0,
    edBeds: 30,
    boarding: 0,
    hospitalBeds: 400,
    ventilated: 0,
    longestBoardingHours: 0,
    lastBedWaitHours: 0,
  };

  it('weighs each input as published', () => {
    expect(nedocs(quiet)).toBe(-20);
    expect(nedocs({ ...quiet, edPatients: 30 })).toBeCloseTo(85.8 - 20);
    expect(nedocs({ ...quiet, boarding: 4 })).toBeCloseTo(6 - 20);
    expect(nedocs({ ...quiet, ventilated: 1 })).toBeCloseTo(13.4 - 20);
    expect(nedocs({ ...quiet, longestBoardingHours: 10 })).toBeCloseTo(9.3 - 20);
    expect(nedocs({ ...quiet, lastBedWaitHours: 10 })).toBeCloseTo(56.4 - 20);
  });

  it('is not defined without beds', () => {
    expect(nedocs({ ...quiet, edBeds: 0 })).toBeNull();
    expect(nedocs({ ...quiet, hospitalBeds: 0 })).toBeNull();
  });

  it.each([
    [-20, 'not-busy'],
    [20, 'not-busy'],
    [20.6, 'busy'],
    [60, 'busy'],
    [61, 'extremely-busy'],
    [100, 'extremely-busy'],
    [101, 'overcrowded'],
    [141, 'severely-overcrowded'],
    [180, 'severely-overcrowded'],
    [181, 'dangerously-overcrowded'],
  ])('%d points are %s', (points, band) => expect(nedocsBand(points)).toBe(band));
});

describe('EDWIN', () => {
  it('counts the most acute five times', () => {
    const values = { patientsByTriage: [1, 2, 3, 2, 1], physicians: 3, treatmentBays: 12, boarding: 2 };
    expect(edwin(values)).toBeCloseTo((5 + 8 + 9 + 4 + 1) / 30);
  });

  it('is not defined without physicians, or when those held fill every bay', () => {
    const values = { patientsByTriage: [0, 0, 1, 0, 0], physicians: 0, treatmentBays: 12, boarding: 2 };
    expect(edwin(values)).toBeNull();
    expect(edwin({ ...values, physicians: 2, boarding: 12 })).toBeNull();
  });

  it('has the published bands', () => {
    expect([1.49, 1.5, 2, 2.01].map(edwinBand)).toEqual(['manageable', 'busy', 'busy', 'crowded']);
  });
});

describe('ICMED', () => {
  it('names what it could not judge', () => {
    expect(icmed(nothing)).toEqual({ violations: 0, measured: 0, unknown: Object.keys(icmedMeasures) });
  });

  it('counts each violation, at its limit not yet', () => {
    const atLimit: IcmedValues = {
      offloadP90Minutes: 15,
      leftWithoutBeingSeenShare: 0.049,
      triageWaitMinutes: 5,
      edPatients: 20,
      edBeds: 20,
      lengthOfStayP90Minutes: 240,
      emergentWaitMinutes: 30,
      admittedLeftShare: 0.9,
      boarding: 2,
    };
    expect(icmed(atLimit)).toEqual({ violations: 0, measured: 8, unknown: [] });
    const beyond: IcmedValues = {
      offloadP90Minutes: 16,
      leftWithoutBeingSeenShare: 0.05,
      triageWaitMinutes: 6,
      edPatients: 21,
      edBeds: 20,
      lengthOfStayP90Minutes: 241,
      emergentWaitMinutes: 31,
      admittedLeftShare: 0.89,
      boarding: 3,
    };
    expect(icmed(beyond).violations).toBe(8);
  });
});

describe('level', () => {
  it('is the worst that is known, and unknown when nothing is', () => {
    expect(overloadLevel({ nedocs: null, edwin: null, occupancy: null })).toBeNull();
    expect(overloadLevel({ nedocs: 50, edwin: null, occupancy: 0.5 })).toEqual({ level: 1, decidedBy: 'nedocs' });
    expect(overloadLevel({ nedocs: 101, edwin: 2.5, occupancy: 0.5 })).toEqual({ level: 3, decidedBy: 'nedocs' });
    expect(overloadLevel({ nedocs: 10, edwin: 1, occupancy: 2.5 })).toEqual({ level: 4, decidedBy: 'occupancy' });
    expect(overloadLevel({ nedocs: 141, edwin: 1, occupancy: 1 })).toEqual({ level: 4, decidedBy: 'nedocs' });
  });
});
