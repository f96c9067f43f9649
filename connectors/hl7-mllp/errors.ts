import { defineErrors } from '../../runtime/stream/index.ts';

export const hl7Errors = defineErrors({
  MACH2001: {
    message: 'cannot listen on {address}: {reason}',
    help: 'The HL7 server could not take its address. Another process holds the port, or the host is not one of this machine. Choose another `listen`, or stop the other process (`ss -ltnp`).',
  },
  MACH2002: {
    message: '{bytes} bytes outside of an MLLP frame from {connection}',
    help: 'Between the end of a frame (0x1C 0x0D) and the start of the next (0x0B) came bytes that are no line ends. They are kept as a dead letter. After noiseBytesMax (64 KiB) without a frame the connection is closed, since the peer does not speak MLLP: check that no other protocol (HTTP, TLS on a plain port) is sent to it.',
  },
  MACH2003: {
    message: 'message larger than the `message` option allows ({bytesMax} bytes)',
    help: 'The start of the message is kept as a dead letter and AR is answered, so that the sender does not try for ever. Raise the option `message` of the source if such messages are wanted (documents inside OBX-5 are the usual cause).',
  },
  MACH2004: {
    message: 'message not complete within messageTimeoutMs ({timeoutMs} ms), {bytes} bytes came',
    help: 'A frame was begun and not ended. The bytes are kept as a dead letter and the connection is closed. The sender has had no acknowledgement and will send again. Look for a sender that leaves out the end of frame (0x1C 0x0D).',
  },
  MACH2005: {
    message: 'frame not ended: {reason}, after {bytes} bytes',
    help: 'The connection was closed, or the next frame began, inside a message. Since a part may be missing, it is not taken for an event; the bytes are kept as a dead letter. The sender has had no positive acknowledgement and should send again.',
  },
  MACH2006: {
    message: 'connection from {connection} refused: {connectionsMax} are open (option `connections`)',
    help: 'Senders that open a connection for each message and do not close it are the usual cause. Raise `connections`, or lower `idle_connection` so that forgotten ones are closed sooner.',
  },
  MACH2007: {
    message: 'message of character set "{charset}" cannot be read: the set is not known',
    help: 'MSH-18 names a character set that this connector cannot decode, and the bytes are not UTF-8. Known: those of HL7 table 0211 but ISO IR159, CNS 11643-1992 and UTF-32, and any name of the WHATWG encoding standard, `WINDOWS-1258`, `TCVN`.',
  },
  MACH2008: {
    message: 'message is not valid {charset}',
    help: 'Some bytes do not exist in the character set that MSH-18 (or, when it is empty, the option `charset`) names. Nothing is guessed, since a wrong guess makes wrong names. If a hospital sends another set without saying so, set `charset` for a source of its own: windows-1258 for older Vietnamese systems.',
  },
  MACH2010: {
    message: 'not an HL7 v2 message: {reason}',
    help: 'A message begins with the segment MSH, or with FHS or BHS for a batch. HL7 v3, CDA and FHIR are not HL7 v2.',
  },
  MACH2011: {
    message: 'separators in MSH-1 and MSH-2 cannot be used: {reason}',
    help: 'The field separator and the up to five encoding characters must be different from each other, and no letters, digits, blanks or line ends. Usual: |^~\\&.',
  },
  MACH2012: {
    message: 'no message type: MSH-9 and EVN-1 are empty',
    help: 'Without the message type nobody can say what the message means. The sender must fill MSH-9 (ADT^A01).',
  },
  MACH2013: {
    message: 'HL7 version "{version}" is not version 2',
    help: 'MSH-12 names the version. Versions 2.1 to 2.9 are read; an empty MSH-12, or an unknown 2.x, is read as the newest.',
  },
  MACH2014: {
    message: 'no usable time: {reason}',
    help: 'The time of an event is EVN-6, else EVN-2, else MSH-7. None of them is a time of the form YYYYMMDD[HHMM[SS[.SSS]]][+ZZZZ]. Without it the event cannot be placed, and the time of arrival would be wrong for messages that were held up.',
  },
  MACH2015: {
    message: '{type} without the segment {segment}',
    help: 'An ADT event speaks of a patient, and the segment PID is required for it by the standard.',
  },
  MACH2016: {
    message: 'message could not be stored: {reason}',
    help: 'The log did not confirm the message. AE is answered; the sender should send the same message again, which is counted once. A message that is too large for the log is answered AR and kept as a dead letter, for it would be refused again.',
  },
  MACH2017: {
    message: 'TLS: cannot use {what}: {reason}',
    help: 'Options cert, key and ca of `tls` are file paths (relative to the topology) or PEM text. The key must belong to the certificate.',
  },
  MACH2018: {
    message: 'message beyond the bound {limit} ({max})',
    help: 'A message has more segments, fields, repetitions or patients than any real one. It is kept as a dead letter and AR is answered.',
  },
  MACH2019: {
    message: 'message could not be read: {reason}',
    help: 'The parser failed on this message. It is kept as a dead letter; please report it with the message, made anonymous.',
  },
  MACH2020: {
    message: '{name} has no message',
    help: 'The file is empty, or holds blanks only.',
  },
  MACH2021: {
    message: 'line {line} of {name} is not {"message": "MSH|..."}: {reason}',
    help: 'A file of JSON lines holds one object with the field `message` on each line.',
  },
  MACH2030: {
    message: 'no acknowledgement of message {id} within {timeoutMs} ms',
    help: 'The receiver took the message and did not answer. The client closes the connection and sends again.',
  },
  MACH2031: {
    message: 'connection to {address} lost: {reason}',
    help: 'The client tries again by itself until its attempts are used up.',
  },
  MACH2032: {
    message: 'client of {address} is closed',
    help: 'Messages that had no acknowledgement when the client was closed may or may not have been stored; send them again.',
  },
});
