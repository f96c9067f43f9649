/** A simulated city as the frames that its sources would write to the log, for whole-system tests without sockets. */
import type { StoredDeadLetter } from '../runtime/execution/log-frame.ts';
import type { SourceEvent } from '../runtime/stream/index.ts';
import type { BoundTopology } from '../runtime/topology/index.ts';
import { bytesOf, type CityEvent, cityEvents, type ScenarioName } from '../simulator/city/index.ts';

/** What one sender said at once: it is accepted whole. */
export interface Said {
  readonly source: string;
  readonly origin: string;
  /** When it is sent, ms since the epoch. */
  readonly at: number;
  readonly events: readonly SourceEvent[];
  readonly deadLetters: readonly StoredDeadLetter[];
}

export interface CityRun {
  readonly seed: number;
  readonly hospitals: number;
  readonly start: number;
  readonly durationMs: number;
  readonly scenario: ScenarioName;
}

/** Everything that the city says, decoded by the connectors themselves, in the order of sending. */
export async function saidByCity(topology: BoundTopology, run: CityRun): Promise<Said[]> {
  const said: Said[] = [];
  for (const event of cityEvents(run)) {
    const { source, origin, name, content } = contentOf(event);
    const decode = topology.sources.find(({ id }) => id === source)?.bound.decode;
    if (!decode) throw new Error(`source ${source} cannot decode`);
    const { events, deadLetters } = await decode(content, name);
    said.push({
      source,
      origin,
      at: event.at,
      events,
      deadLetters: deadLetters.map((letter) => ({ ...letter, raw: Buffer.from(letter.raw).toString('base64') })),
    });
  }
  return said;
}

function contentOf(event: CityEvent): { source: string; origin: string; name: string; content: Uint8Array } {
  switch (event.kind) {
    case 'hl7':
      return { source: 'adt', origin: event.hospital, name: `${event.id}.hl7`, content: bytesOf(event) };
    case 'feed':
      return {
        source: 'centre',
        origin: '115',
        name: 'items.ndjson',
        content: Buffer.from(JSON.stringify(event.item)),
      };
    case 'bed-file':
      return { source: 'beds', origin: event.hospital, name: event.name, content: Buffer.from(event.text) };
  }
}
