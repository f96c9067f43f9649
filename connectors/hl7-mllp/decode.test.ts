import fc from 'fast-check';
import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { corpusMessages, decodeOptions } from './corpus.fixture.ts';
import { decodeFrame, type Outcome } from './decode.ts';
import { hl7Limits } from './limits.ts';
import type { Hl7Event } from './schema.ts';

const segments = {
  MSH: 'MSH|^~\\&|HIS|BV01|MACH|115|20260302070000||ADT^A04^ADT_A01|X1|P|2.5.1',
  EVN: 'EVN|A04|20260302070000||||20260302065930',
  PID: 'PID|1||79001^^^NN^NI~BN01^^^BV01^MR||Nguyễn^Thử^Văn||19800517|M|||12 Đường Thử^^TP HCM',
  PV1: 'PV1|1|E|ED^R1^B2^BV01||||||||||||||||V01|||||||||||||||||||||||||20260302065930',
};
type Parts = Partial<Record<keyof typeof segments, string>>;

const messageOf = (parts: Parts = {}, ...more: string[]) =>
  [...Object.values({ ...segments, ...parts }), ...more].map((line) => `${line}\r`).join('');

const decode = (message: string | Buffer): Outcome[] => decodeFrame(Buffer.from(message as string), decodeOptions);

function eventsOf(message: string | Buffer): Hl7Event[] {
  return decode(message).flatMap((outcome) => {
    if (outcome.failure) throw outcome.failure;
    return outcome.events.map(({ event }) => event as Hl7Event);
  });
}

function eventOf(message: string | Buffer): Hl7Event {
  const [event] = eventsOf(message);
  if (!event) throw new Error('no event');
  return event;
}

const codeOf = (message: string | Buffer) => decode(message).map((outcome) => outcome.failure?.code)[0];
const time = (text: string) => new Date(text).getTime();

describe('an arrival', () => {
  it('has its columns', () => {
    expect(eventOf(messageOf())).toMatchObject({
      kind: 'arrival',
      trigger: 'A04',
      hospital: 'BV01',
      message_id: 'X1',
      occurred_at: time('2026-03-02T06:59:30+07:00'),
      recorded_at: time('2026-03-02T07:00:00+07:00'),
      patient_id: 'BN01',
      patient_id_authority: 'BV01',
      patient_name: 'Nguyễn Văn Thử',
      family_name: 'Nguyễn',
      given_name: 'Thử Văn',
      birth_date: '1980-05-17',
      sex: 'male',
      address: '12 Đường Thử, TP HCM',
      visit_id: 'V01',
      department: 'ED',
      room: 'R1',
      bed: 'B2',
      facility: 'BV01',
      admitted_at: time('2026-03-02T06:59:30+07:00'),
      deleted_fields: [],
      problems: [],
      raw: null,
    });
  });

  it('has triage, first contact, ventilation, mode of arrival, complaint and diagnosis', () => {
    const event = eventOf(
      messageOf(
        {},
        `PV2|||^Đau ngực${'|'.repeat(35)}A`,
        'OBX|1|CWE|11283-9^Acuity^LN||2^Emergent^ESI||||||F|||20260302070500',
        'OBX|2|DTM|SEEN^^99MACH||20260302071500||||||F',
        'OBX|3|ST|VENTILATED^^99MACH||N||||||F',
        'OBX|4|DTM|ADMIT-DECISION^^99MACH||20260302080000||||||F',
        'DG1|1||I21^Nhồi máu cơ tim^I10',
      ),
    );
    expect(event).toMatchObject({
      triage_level: 2,
      triaged_at: time('2026-03-02T07:05:00+07:00'),
      seen_at: time('2026-03-02T07:15:00+07:00'),
      admit_decision_at: time('2026-03-02T08:00:00+07:00'),
      ventilated: false,
      arrival_mode: 'ambulance',
      chief_complaint: 'Đau ngực',
      diagnosis: 'I21',
      diagnosis_text: 'Nhồi máu cơ tim',
    });
  });

  it('does not take a triage level of another scale, or a result that was taken back', () => {
    const event = eventOf(
      messageOf({}, 'OBX|1|CWE|11283-9^^LN||2^Acute^HL70454||||||F', 'OBX|2|ST|VENTILATED||Y||||||W'),
    );
    expect(event).toMatchObject({ triage_level: null, ventilated: null });
    expect(event.problems).toEqual(['OBX-5: not a triage level of 1 to 5 (HL70454)']);
  });

  it('tells emptied fields from absent ones', () => {
    const event = eventOf(messageOf({ PV1: 'PV1|1|E|ED^""^""||||||||||||||||V01' }));
    expect(event).toMatchObject({ department: 'ED', room: null, bed: null, admitted_at: null });
    expect(event.deleted_fields).toEqual(['room', 'bed']);
    expect(eventOf(messageOf({ PV1: 'PV1|1|E|""' })).deleted_fields).toEqual(['facility', 'department', 'room', 'bed']);
  });
});

describe('trigger events', () => {
  const withTrigger = (trigger: string, patientClass = 'E') =>
    eventOf(
      messageOf({
        MSH: segments.MSH.replace('A04^', `${trigger}^`),
        PV1: segments.PV1.replace('|E|', `|${patientClass}|`),
      }),
    ).kind;

  it.each([
    ['A01', 'admission'],
    ['A02', 'transfer'],
    ['A03', 'discharge'],
    ['A05', 'pre-admission'],
    ['A06', 'class-change'],
    ['A07', 'class-change'],
    ['A08', 'update'],
    ['A09', 'departing'],
    ['A10', 'arriving'],
    ['A11', 'cancel-arrival'],
    ['A12', 'cancel-transfer'],
    ['A13', 'cancel-discharge'],
    ['A28', 'patient-update'],
    ['A31', 'patient-update'],
    ['A40', 'merge'],
    ['A60', 'other'],
  ])('%s is %s', (trigger, kind) => expect(withTrigger(trigger)).toBe(kind));

  it('depend on the patient class for arrivals', () => {
    expect(withTrigger('A04', 'O')).toBe('registration');
    expect(withTrigger('A11', 'I')).toBe('cancel-admission');
  });

  it('A40 with several patients gives one event for each', () => {
    const message = `${segments.MSH.replace('A04^ADT_A01', 'A40^ADT_A39')}\r${segments.EVN}\rPID|1||A^^^H^MR\rMRG|B^^^H^MR||AC2||V2\rPID|2||C\rMRG|D\r`;
    expect(eventsOf(message)).toMatchObject([
      { kind: 'merge', part: 0, patient_id: 'A', prior_patient_id: 'B', prior_visit_id: 'V2', prior_account_id: 'AC2' },
      { kind: 'merge', part: 1, patient_id: 'C', prior_patient_id: 'D' },
    ]);
  });

  it('hold the text of the message once', () => {
    const raws = (text: string) => decode(text).flatMap(({ events }) => (events ?? []).map(({ raw }) => raw));
    expect(raws(messageOf())).toEqual([messageOf()]);
    expect(raws(`${messageOf()}PID|2||B\r`)).toEqual([`${messageOf()}PID|2||B\r`, undefined]);
    expect(raws(messageOf({ MSH: segments.MSH.replace('ADT^A04^ADT_A01', 'ORU^R01') }))).toEqual([undefined]);
  });

  it('A14 is the decision to admit', () => {
    const event = eventOf(messageOf({ MSH: segments.MSH.replace('A04^', 'A14^') }));
    expect(event.admit_decision_at).toBe(event.occurred_at);
  });

  it('messages of other types are kept whole', () => {
    const text = messageOf({ MSH: segments.MSH.replace('ADT^A04^ADT_A01', 'ORU^R01') });
    expect(eventOf(text)).toMatchObject({ kind: 'other', message_type: 'ORU', patient_id: 'BN01', raw: text });
  });
});

describe('odd forms', () => {
  it.each([
    [
      'other separators',
      messageOf().replaceAll('|', '#').replaceAll('^', '$').replaceAll('~', '*').replace('\\&', '!@'),
    ],
    ['no encoding characters', messageOf().replace('|^~\\&|', '||')],
    ['two encoding characters', messageOf().replace('|^~\\&|', '|^~|')],
    ['five encoding characters', messageOf().replace('|^~\\&|', '|^~\\&#|')],
    ['line feeds', messageOf().replaceAll('\r', '\n')],
    ['both line ends', messageOf().replaceAll('\r', '\r\n')],
    ['byte order mark', `\uFEFF${messageOf()}`],
    ['blank lines before', `\r\n\n${messageOf()}`],
    ['no last line end', messageOf().trimEnd()],
  ])('%s', (_, text) => {
    expect(eventOf(text)).toMatchObject({ patient_id: 'BN01', patient_name: 'Nguyễn Văn Thử', department: 'ED' });
  });

  it('are read in their character set', () => {
    const declare = (charset: string) => messageOf({ MSH: `${segments.MSH}||||||${charset}` });
    const name = (bytes: Buffer) => eventOf(bytes).family_name;
    expect(name(iconv.encode(declare('WINDOWS-1258').replace('Nguyễn', 'Ngô'), 'windows-1258'))).toBe('Ngô');
    expect(name(iconv.encode(declare('8859/1').replace('Nguyễn', 'Müller'), 'latin1'))).toBe('Müller');
    expect(name(iconv.encode(declare('GB 18030-2000').replace('Nguyễn', '阮'), 'gb18030'))).toBe('阮');
    expect(name(Buffer.from(declare('UNICODE UTF-8')))).toBe('Nguyễn');
    expect(name(Buffer.from(declare('ASCII')))).toBe('Nguyễn');
    expect(name(Buffer.from(declare('X-NONSENSE')))).toBe('Nguyễn');
    expect(name(Buffer.from(`\uFEFF${declare('')}`, 'utf16le'))).toBe('Nguyễn');
    // Decomposed letters, as some systems send them.
    expect(name(Buffer.from(declare('').normalize('NFD')))).toBe('Nguyễn');
  });

  it('have their escapes read', () => {
    const name = (text: string) => eventOf(messageOf({ PID: `PID|1||X||${text}` })).family_name;
    expect(name('a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f')).toBe('a|b^c&d~e\\f');
    expect(name('Nguy\\XE1BB85\\n')).toBe('Nguyễn');
    expect(name('a\\.br\\b')).toBe('a\nb');
    expect(name('\\H\\a\\N\\')).toBe('a');
    expect(name('C:\\temp\\F\\x')).toBe('C:\\temp|x');
    expect(name('\\E\\F\\E\\')).toBe('\\F\\');
    expect(name('\\Zab\\ \\')).toBe('\\Zab\\ \\');
  });

  it('a line end inside of a field does not cut the message', () => {
    const event = eventOf(messageOf({ PID: 'PID|1||X||Nguyễn^Thử|||||^^line one\nline two' }));
    expect(event.patient_id).toBe('X');
    expect(event.department).toBe('ED');
  });

  it('several messages, and a batch, are each read', () => {
    const batch = `FHS|^~\\&\rBHS|^~\\&\r${messageOf()}${messageOf()}BTS|2\rFTS|1\r`;
    expect(eventsOf(batch)).toHaveLength(2);
    expect(eventsOf(messageOf() + messageOf())).toHaveLength(2);
  });

  it('a zone in MSH-7 is that of all times without one', () => {
    const event = eventOf(messageOf({ MSH: segments.MSH.replace('20260302070000', '20260302000000+0000') }));
    expect(event.occurred_at).toBe(time('2026-03-02T06:59:30Z'));
  });
});

describe('dead letters', () => {
  it.each([
    ['MACH2010', 'hello'],
    ['MACH2010', 'PID|1\rMSH|^~\\&|'],
    ['MACH2010', '<ClinicalDocument/>'],
    ['MACH2010', 'BHS|^~\\&\rBTS|0\r'],
    ['MACH2011', 'MSH|^^^^|A'],
    ['MACH2011', 'MSH|^~\\&#$%|A'],
    ['MACH2012', messageOf({ MSH: 'MSH|^~\\&|HIS|BV01|||20260302070000|||X1|P|2.5.1', EVN: 'EVN|' })],
    ['MACH2013', messageOf({ MSH: segments.MSH.replace('2.5.1', '3.0') })],
    ['MACH2014', messageOf({ MSH: segments.MSH.replace('20260302070000', 'today'), EVN: 'EVN|A04' })],
    ['MACH2015', `${segments.MSH}\r${segments.EVN}\r`],
  ])('%s', (code, text) => expect(codeOf(text)).toBe(code));

  it.each([
    ['BN000123 NGUYỄN VĂN MẪU', 'it begins with no segment'],
    ['PID|1||BN000123\rMSH|^~\\&|', 'it begins with the segment PID and not with MSH'],
    ['<Bệnh-nhân>', 'it begins with "<", as XML does'],
    ['{"id":"BN000123"}', 'it begins with "{", as JSON does'],
  ])('say what %j begins with and do not quote it', (text, reason) => {
    expect(decode(text)[0]?.failure?.message).toBe(`not an HL7 v2 message: ${reason}`);
  });

  it('for bytes that the character set does not have', () => {
    expect(
      codeOf(
        iconv.encode(
          messageOf()
            .replace('Nguyễn', 'Müller')
            .replaceAll(/[^\x00-\xff]/g, '?'),
          'latin1',
        ),
      ),
    ).toBe('MACH2008');
    const unknown = messageOf({ MSH: `${segments.MSH}||||||X-NONSENSE` }).replaceAll(/[^\x00-\x7f]/g, 'ü');
    expect(codeOf(iconv.encode(unknown, 'latin1'))).toBe('MACH2007');
  });

  it('beyond the bounds on segments, fields, parts, patients and messages', () => {
    const failure = (text: string) => decode(text)[0]?.failure?.message ?? '';
    expect(failure(messageOf() + 'NTE|1\r'.repeat(hl7Limits.segmentsMax))).toContain('segmentsMax');
    expect(failure(messageOf({ PID: `PID${'|'.repeat(5_000)}` }))).toContain('fieldsMax');
    expect(failure(messageOf({ PID: `PID|${'~'.repeat(20_000)}` }))).toContain('partsMax');
    expect(failure(messageOf() + 'PID|1||X\r'.repeat(hl7Limits.patientsMax + 1))).toContain('patientsMax');
    expect(failure('MSH|^~\\&|A\r'.repeat(hl7Limits.batchMessagesMax + 1))).toContain('batchMessagesMax');
  });
});

describe('mutations of the corpus', () => {
  it('never fail but with a reason', () => {
    const corpus = corpusMessages().filter(({ bytes }) => bytes.length < 20_000);
    const mutation = fc.record({
      message: fc.nat(corpus.length - 1),
      edits: fc.array(
        fc.record({
          at: fc.nat(20_000),
          remove: fc.nat(40),
          insert: fc.oneof(
            fc.constantFrom(
              '|',
              '^',
              '~',
              '\\',
              '&',
              '\r',
              '\n',
              'MSH|',
              '\v',
              '\x1c',
              '""',
              '\rPID|',
              '\\X',
              '\0',
              'ễ',
            ),
            fc.string({ maxLength: 5 }),
          ),
        }),
        { minLength: 1, maxLength: 6 },
      ),
      broken: fc.boolean(),
    });
    fc.assert(
      fc.property(mutation, ({ message, edits, broken }) => {
        let text = corpus[message]?.bytes.toString('latin1') ?? '';
        for (const { at, remove, insert } of edits) {
          const place = at % (text.length + 1);
          text =
            text.slice(0, place) +
            (broken ? insert : Buffer.from(insert).toString('latin1')) +
            text.slice(place + remove);
        }
        for (const outcome of decode(Buffer.from(text, 'latin1'))) {
          if (outcome.failure) expect(outcome.failure.code).toMatch(/^MACH20(?!19)\d\d$/);
          else expect(Number.isSafeInteger(outcome.events[0]?.time)).toBe(true);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
