/** The engine's own HTTP, asked over loopback. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { hidden } from '../stream/privacy.ts';
import { type Lab, type LabProcess, openLab } from '../testing/engine-lab.ts';
import { type ObserveServer, startObserveServer } from './http-server.ts';

const topology = `
version: 1
name: lab
sources: { calls: { pulses: {}, idle: 30d } }
operators: { order: { numbered: { from: calls } }, frail: { breaks: { from: order, at: 99 } } }
sinks: { rows: { collect: { from: frail } } }
`;

let server: ObserveServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function open(write?: () => Promise<never[]>) {
  const lab = openLab({ topology, ...(write && { edges: { write } }) });
  const process = await lab.start();
  const { engine } = process;
  if (!engine) throw new Error('the engine has not started');
  server = await startObserveServer({ engine, clock: lab.clock });
  const { url } = server;
  const get = async (path: string) => {
    const response = await fetch(`${url}${path}`);
    return { status: response.status, type: response.headers.get('content-type') ?? '', text: await response.text() };
  };
  return { lab, process, url, get };
}

async function send(lab: Lab, process: LabProcess, value: number) {
  const event = { id: `e${value}`, hospital: 'H1', value, patient: 'Nguyễn Văn Thử' };
  await lab.drive(process.source('calls').append({ origin: 'H1', events: [{ event, time: 1_700_000_000_000 }] }));
}

describe('observe server', () => {
  it('/livez and /readyz say yes while all is well', async () => {
    const { get } = await open();
    expect(await get('/livez')).toMatchObject({ status: 200, text: '{"live":true}\n' });
    const ready = await get('/readyz');
    expect(ready.status).toBe(200);
    expect(JSON.parse(ready.text)).toEqual({ ready: true, reasons: [] });
  });

  it('/readyz names the sink that does not get on, and why; /livez stays well', async () => {
    const { lab, process, get } = await open(async () => {
      throw new Error('the store is away');
    });
    await send(lab, process, 1);
    await lab.drive(lab.clock.sleep(1_000));
    const ready = await get('/readyz');
    expect(ready.status).toBe(503);
    expect(JSON.parse(ready.text)).toEqual({ ready: false, reasons: ['sink rows: the store is away'] });
    expect((await get('/livez')).status).toBe(200);
    process.kill();
  });

  it('/livez says no once the engine cannot go on, /readyz why it is not ready', async () => {
    const { lab, process, get } = await open();
    await send(lab, process, 99);
    await lab.drive(process.engine?.failed as Promise<unknown>);
    expect((await get('/livez')).status).toBe(503);
    const ready = await get('/readyz');
    expect(ready.status).toBe(503);
    expect(JSON.parse(ready.text)).toEqual({ ready: false, reasons: ['the engine is failed'] });
  });

  it('/status tells of every node, in the order of the topology', async () => {
    const { lab, process, get } = await open();
    await send(lab, process, 1);
    await send(lab, process, 2);
    await lab.settle(process);
    const status = JSON.parse((await get('/status')).text);
    expect(status).toMatchObject({ topology: 'lab', state: 'running', accounting: { in: 2, delivered: 2 } });
    const nodes = status.nodes.map((node: Record<string, unknown>) => [
      node.id,
      node.kind,
      node.definition,
      node.in,
      node.out,
    ]);
    expect(nodes).toEqual([
      ['calls', 'source', 'pulses', 2, 2],
      ['order', 'operator', 'numbered', 2, 2],
      ['frail', 'operator', 'breaks', 2, 2],
      ['rows', 'sink', 'collect', 2, 2],
    ]);
    expect(status.stage).toMatchObject({ sequence: 2, lastSequence: 2, events: 2 });
  });

  it('/metrics is of the type that Prometheus asks for', async () => {
    const { get } = await open();
    const { status, type, text } = await get('/metrics');
    expect(status).toBe(200);
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text).toContain('# TYPE mach_accounting_events_total counter');
  });

  it('/why says what a key of a node waits for, without what points at a person', async () => {
    const { lab, process, get } = await open();
    await send(lab, process, 1);
    await lab.settle(process);
    const { status, text } = await get('/why?node=order&key=H1');
    expect(status).toBe(200);
    expect(text).not.toContain('Nguyễn');
    const last = { sequence: 1, heardAt: expect.any(Number) };
    expect(JSON.parse(text)).toMatchObject({
      node: 'order',
      key: 'H1',
      inputs: [{ input: 'from', from: 'calls', idle: false, holds: true }],
      holding: { path: ['calls'], source: 'calls', origin: 'H1', idle: false, last, idle_ms: 30 * 86_400_000 },
    });
    // What is asked of one key must not cost a copy of all that the engine knows.
    const { machine } = process.engine?.stage ?? {};
    const copied = vi.spyOn(machine as never, 'snapshot');
    await get('/why?node=order&key=H1');
    expect(copied).not.toHaveBeenCalled();
    const unknown = await get('/why?node=ordr&key=H1');
    expect(unknown.status).toBe(404);
    expect(unknown.text).toContain('MACH3264  there is no node ordr in lab; did you mean order?');
  });

  it('anything else is not found, and says what there is', async () => {
    const { get, url } = await open();
    for (const path of ['/', '/metricz', '//', '/%ff', '/tap?edge=nobody']) expect((await get(path)).status).toBe(404);
    expect((await get('/x')).text).toContain('/livez, /readyz, /metrics, /status');
    const head = await fetch(`${url}/livez`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('/tap shows the events of an edge with personal fields hidden, and lets go of it when the reader leaves', async () => {
    const { lab, process, url } = await open();
    const stop = new AbortController();
    const response = await fetch(`${url}/tap?edge=order`, { signal: stop.signal });
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await send(lab, process, 1);
    const { value } = await reader.read();
    const text = new TextDecoder().decode(value);
    expect(text).not.toContain('Nguyễn');
    expect(JSON.parse(text)).toEqual({
      time: '2023-11-14T22:13:20.000Z',
      event: { id: 'e1', hospital: 'H1', value: 1, patient: hidden, number: 1 },
      skipped: 0,
    });
    stop.abort();
    // What nobody reads any more holds nobody up.
    await send(lab, process, 2);
    await lab.settle(process);
    expect(lab.events('rows')).toHaveLength(2);
  });
});
