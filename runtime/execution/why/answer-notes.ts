/** Which messages brought the answers of look-ups: what was asked about comes out once its answer is in the log. */
import type { BoundOperatorNode } from '../../topology/bound.ts';
import type { AnswersFrame } from '../log-frame.ts';
import { askedAt, questionAbout } from '../lookup.ts';
import { placeId } from './collect.ts';
import type { Lineage, Moment } from './lineage.ts';

export class AnswerNotes {
  private readonly byQuestion = new Map<string, Moment[]>();
  /** By the event of a source that was asked about, itself or what had been made of it. */
  private readonly byPlace = new Map<string, Moment[]>();
  /** Of every answer the message in which the question was asked. */
  private readonly all: { readonly asked: number; readonly moment: Moment }[] = [];

  note({ answers }: AnswersFrame, moment: Moment): void {
    // The number behind a question tells it from those of the same message that ask the same.
    for (const { id } of answers) {
      addTo(this.byQuestion, id.slice(0, id.lastIndexOf('.')), [moment]);
      this.all.push({ asked: askedAt(id), moment });
    }
  }

  /**
   * Of an event that comes out of a look-up. It may have waited for those before it: the message that let it go need not be the one that brought its
   * answer. None for what was asked before the walk.
   */
  to({ id, inputs }: BoundOperatorNode, asked: Lineage | undefined): readonly Moment[] {
    if (!asked) return [];
    const sequence = asked.kind === 'source' ? asked.sequence : asked.moment.sequence;
    const answers = this.byQuestion.get(questionAbout(id, sequence, { event: asked.event, schema: inputs[0]?.schema }));
    const source = sourceOf(asked);
    if (answers && source) addTo(this.byPlace, placeId(source), answers);
    return answers ?? [];
  }

  /** Without them an event that is handled alone would wait, and with it all behind it. */
  about(place: Moment): readonly Moment[] {
    return this.byPlace.get(placeId(place)) ?? [];
  }

  /** To what a look-up had been asked before a message and not been answered: it may hold up what is asked from then on. */
  waiting(node: string, { from, until }: { from: number; until: number }): Moment[] {
    const isDue = ({ sequence }: Moment) => sequence >= from && sequence <= until;
    const due = this.all.filter(({ asked, moment }) => moment.node === node && asked < from && isDue(moment));
    return due.map(({ moment }) => moment);
  }
}

function sourceOf(lineage: Lineage): Moment | undefined {
  let at: Lineage | undefined = lineage;
  while (at?.kind === 'derived') at = at.reason.kind === 'event' ? at.reason.from : undefined;
  return at;
}

function addTo(map: Map<string, Moment[]>, id: string, moments: readonly Moment[]): void {
  const known = map.get(id);
  if (known) known.push(...moments);
  else map.set(id, [...moments]);
}
