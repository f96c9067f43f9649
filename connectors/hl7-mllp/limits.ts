/** Bounds of the connector that are not options. Each is named in the error that says it was met. */
export const hl7Limits = {
  /** Bytes between two frames (not CR, LF, blank) before the connection is closed as not speaking MLLP. */
  noiseBytesMax: 64 * 1024,
  /** From the start of a frame to its end. A sender that trickles a message is cut off then. */
  messageTimeoutMs: 30_000,
  /** TLS handshake. */
  handshakeTimeoutMs: 10_000,
  /** Messages of one connection whose acknowledgement is not yet sent; beyond it the socket is not read. */
  inFlightMessagesMax: 256,
  /** Their bytes. A single message may be larger. */
  inFlightBytesMax: 4 * 1024 * 1024,
  /** Reply bytes that the peer has not taken yet; beyond it the socket is not read. */
  unsentReplyBytesMax: 256 * 1024,
  /** Drain: replies that are owed are waited for this long. */
  drainTimeoutMs: 10_000,
  /** After our last byte, for the peer to read it and to close. */
  lingerMs: 1_000,
  /** Segments of a message; fields of a segment; repetitions, components or sub-components in a segment. */
  segmentsMax: 10_000,
  fieldsMax: 1_000,
  partsMax: 10_000,
  /** Messages in one frame or batch. */
  batchMessagesMax: 1_000,
  /** Patients in one message (A40 with repeated groups). */
  patientsMax: 500,
  /** Problems kept of one message. */
  problemsMax: 20,
  /** Different message types that get a counter of their own. */
  countedTypesMax: 300,
  /** Characters of a hospital's name. */
  hospitalLengthMax: 200,
} as const;
