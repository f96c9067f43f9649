/** What the 115 centre tells: calls, ambulances and diversions, each time whole, as `feed115.proto` asks. */
import { capabilityNumber, type Item, outcomeNumber } from '../../../connectors/feed-115/wire.ts';
import type { FeedCityEvent } from '../events.ts';
import type { HospitalSite } from '../hospitals.ts';
import type { Agenda } from '../model/agenda.ts';
import type { Ambulance, EmergencyCall, Run } from '../model/records.ts';
import type { Random } from '../random.ts';

/** An ambulance in a radio shadow reports later. */
const shadow = { share: 0.012, fromS: 40, toS: 420 } as const;

export interface DispatchDeskOptions {
  readonly agenda: Agenda;
  readonly random: Random;
  readonly emit: (event: FeedCityEvent) => void;
}

export class DispatchDesk {
  readonly #options: DispatchDeskOptions;

  constructor(options: DispatchDeskOptions) {
    this.#options = options;
  }

  call(call: EmergencyCall): void {
    const { answeredAt, abandonedAt, station, complaint } = call;
    const asked = answeredAt === null ? {} : this.#asked(call);
    const { capability } = complaint;
    this.#emit({
      call: {
        call_id: call.id,
        received_ms: call.receivedAt,
        caller_phone_hash: call.phoneHash,
        ...(answeredAt === null ? {} : { answered_ms: answeredAt }),
        ...(abandonedAt === null ? {} : { abandoned_ms: abandonedAt }),
        ...asked,
        ...(answeredAt !== null && capability ? { required_capability: capabilityNumber[capability] } : {}),
        ...(station === null ? {} : { station }),
      },
    });
  }

  /** What the dispatcher has learnt from the caller. */
  #asked({ address, latitude, longitude, complaint, level }: EmergencyCall) {
    return { address, latitude, longitude, complaint_code: complaint.code, priority: level };
  }

  unit(unit: Ambulance, run: Run): void {
    const { random } = this.#options;
    const times = {
      dispatch_notified_ms: run.dispatchNotifiedAt,
      en_route_ms: run.enRouteAt,
      arrived_scene_ms: run.arrivedSceneAt,
      left_scene_ms: run.leftSceneAt,
      arrived_destination_ms: run.arrivedDestinationAt,
      transfer_of_care_ms: run.transferOfCareAt,
      back_in_service_ms: run.backInServiceAt,
    };
    const known = Object.fromEntries(Object.entries(times).filter(([, time]) => time !== null));
    const delayMs = random.chance(shadow.share) ? random.int(shadow.fromS, shadow.toS) * 1000 : 0;
    this.#emit(
      {
        unit: {
          unit_id: unit.id,
          reported_ms: this.#options.agenda.now,
          call_id: run.call.id,
          station: unit.station,
          latitude: run.position.latitude,
          longitude: run.position.longitude,
          ...(run.destination ? { hospital: run.destination.id } : {}),
          call_received_ms: run.call.receivedAt,
          ...known,
          ...(run.outcome ? { outcome: outcomeNumber[run.outcome] } : {}),
        },
      },
      delayMs,
    );
  }

  diversion(hospital: HospitalSite, active: boolean, reason: string, until: number | null): void {
    this.#emit({
      diversion: {
        hospital: hospital.id,
        changed_ms: this.#options.agenda.now,
        active,
        reason,
        ...(until === null ? {} : { until_ms: until }),
      },
    });
  }

  #emit(item: Item, delayMs = 0): void {
    const { agenda, emit, random } = this.#options;
    emit({ kind: 'feed', at: agenda.now + random.int(300, 2_500) + delayMs, item });
  }
}

/** Of items that were said before the connection came up, those that still matter: the newest of each run and diversion. */
export function stillOpen(events: readonly FeedCityEvent[]): FeedCityEvent[] {
  const newest = new Map<string, FeedCityEvent>();
  for (const event of events) newest.set(keyOf(event.item), event);
  const running = new Set<string>();
  for (const { item } of newest.values()) {
    if (item.unit?.call_id && item.unit.back_in_service_ms === undefined) running.add(item.unit.call_id);
  }
  return [...newest.values()].filter(({ item }) => {
    if (item.diversion) return item.diversion.active;
    return running.has(item.unit?.call_id ?? item.call?.call_id ?? '');
  });
}

function keyOf({ call, unit, diversion }: Item): string {
  if (call) return `call ${call.call_id}`;
  return unit ? `unit ${unit.call_id}` : `diversion ${diversion?.hospital}`;
}
