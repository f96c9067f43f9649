/** The ways in which a source of a lab may be silent: `calls`, beside one that is heard all the time. */
import type { Lab, LabProcess } from './engine-lab.ts';

/** One pulse a second; `hospitals`: of so many in turn. */
export async function sendPulses(
  lab: Lab,
  process: LabProcess,
  { source, count, hospitals = 1 }: { readonly source: string; readonly count: number; readonly hospitals?: number },
): Promise<void> {
  for (let sent = 0; sent < count; sent++) {
    const time = lab.clock.now();
    const event = { id: `${source}${time}`, hospital: `H${(sent % hospitals) + 1}`, value: 1, patient: null };
    await lab.drive(process.source(source).append({ origin: source, events: [{ event, time }] }), 10);
    await lab.clock.advance(990);
  }
}

export const silences: Readonly<Record<string, (lab: Lab, process: LabProcess) => Promise<void>>> = {
  'that nobody has ever used': async () => undefined,
  'that has fallen silent': (lab, process) => sendPulses(lab, process, { source: 'calls', count: 2 }),
  'that has ended': async (lab, process) => {
    await sendPulses(lab, process, { source: 'calls', count: 2 });
    await lab.drive(process.source('calls').ended());
  },
};
