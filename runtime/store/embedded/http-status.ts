/** HTTP status of a ClickHouse error, as the server maps them (`src/Server/HTTPHandler.cpp`, exceptionCodeToHTTPStatus). */
const statusByCode: ReadonlyMap<number, number> = new Map([
  ...[6, 10, 26, 27, 36, 38, 41, 42, 43, 44, 53, 62, 69, 70, 72, 73, 117, 130, 131, 349, 441, 456, 457, 467].map(
    (code): [number, number] => [code, 400],
  ),
  ...[16, 46, 47, 50, 56, 60, 78, 81, 82, 115, 218].map((code): [number, number] => [code, 404]),
  [164, 403],
  [497, 403],
  [307, 413],
  [229, 413],
  [48, 501],
  [202, 503],
  [159, 408],
]);

export function statusOf(code: number): number {
  return statusByCode.get(code) ?? 500;
}
