/**
 * Messages of the input log that are for a node of a later stage: dead letters that go in again, answers of look-ups. Every first stage reads
 * them; one passes them on by the lanes that the exchanges have between the partitions anyway, from stage to stage, until they are there.
 */
import { defineSchema, field } from '../../stream/schema.ts';
import type { AnswersFrame, RedriveFrame } from '../log-frame.ts';

/** Stand among the exchanges of a lane; no edge has these names. */
export const redriveExchange = '~redrive';
export const answersExchange = '~answers';

export const passedSchema = defineSchema({ node: field.string({ repeated: true }), frame: field.json() });

export const isPassed = (exchange: string): boolean => exchange === redriveExchange || exchange === answersExchange;

export interface PassedRedrive {
  readonly node: string;
  readonly frame: RedriveFrame;
}

export interface PassedAnswers {
  readonly node: string;
  readonly frame: AnswersFrame;
}
