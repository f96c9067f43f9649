/** The page of errors: what `mach help CODE` says, of all codes. */
import type { ErrorDescription, ErrorList } from '../../runtime/errors.ts';
import type { Page } from './page.ts';

/** Names of the ranges of codes; the table in `runtime/errors.ts` says who takes which. */
const areas: Readonly<Record<string, string>> = {
  10: 'Topology file: form',
  11: 'Topology: names and wiring',
  12: 'Topology: types and expressions',
  13: 'Privacy',
  14: 'References and secrets',
  15: 'Topology tests',
  16: 'Command line',
  17: 'Simulator',
  18: 'Operators',
  20: 'hl7-mllp',
  21: 'feed-115',
  22: 'file-drop',
  23: 'nats',
  24: 'webhook',
  30: 'Log',
  31: 'Store',
  32: 'Execution',
};

/** Outside of code, angle brackets and stars would be taken for markup. */
function plain(text: string): string {
  return text
    .split('`')
    .map((part, index) => (index % 2 === 0 ? part.replace(/[<>*_]/g, '\\$&') : part))
    .join('`');
}

export function errorsPage(lists: readonly ErrorList[]): Page {
  const errors = new Map(lists.flatMap((list) => Object.entries(list) as [string, ErrorDescription][]));
  const byRange = new Map<string, string[]>();
  for (const code of [...errors.keys()].sort()) {
    const range = code.slice('MACH'.length, -2);
    byRange.set(range, [...(byRange.get(range) ?? []), code]);
  }
  const describe = (code: string) => {
    const { message, help } = errors.get(code) as ErrorDescription;
    return `### ${code}\n\n> ${plain(message)}\n\n${plain(help)}`;
  };
  return {
    file: 'docs/errors.md',
    title: 'Errors',
    intro:
      'Every error has a code, which is never used for anything else. `mach help CODE` says the same as this page. `{name}` stands for a value, which `mach help` writes as `<name>`.',
    sections: [...byRange].flatMap(([range, codes]) => [
      `## ${range}xx ${areas[range] ?? 'others'}`,
      ...codes.map(describe),
    ]),
  };
}
