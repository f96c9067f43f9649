/** Fills in links as Grafana does: `/d/UID?var-hospital=${__data.fields.hospital:percentencode}`. */
import type { Table } from '../view/table.ts';

export interface LinkContext {
  readonly row: { readonly table: Table; readonly index: number } | undefined;
  readonly from: string;
  readonly to: string;
  readonly variables: Readonly<Record<string, readonly string[]>>;
}

export function fillLink(url: string, { row, from, to, variables }: LinkContext): string {
  const filled = url.replace(
    /\$\{__data\.fields(?:\.(\w+)|\["([^"]+)"\])(?::(\w+))?\}|\$\{__value\.(?:raw|text)(?::\w+)?\}|\$\{?(__url_time_range|__all_variables|__from|__to|\w+)(?::\w+)?\}?/g,
    (whole, field, quoted, format, name) => {
      const wanted = field ?? quoted;
      if (wanted !== undefined) {
        const column = row?.table.columns.find((one) => one.name === wanted);
        const value = String((row && column?.values[row.index]) ?? '');
        return format === 'raw' ? value : encodeURIComponent(value);
      }
      switch (name) {
        case undefined:
          return whole;
        case '__url_time_range':
          return `from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`;
        // Where this page is served is known here; Grafana has to be told.
        case 'mach':
          return location.origin;
        case '__from':
          return from;
        case '__to':
          return to;
        case '__all_variables':
          return Object.entries(variables)
            .flatMap(([key, values]) => values.map((one) => `var-${key}=${encodeURIComponent(one)}`))
            .join('&');
        default:
          return (variables[name] ?? []).map(encodeURIComponent).join(',');
      }
    },
  );
  return isSafe(filled) ? filled : '#';
}

/** Links lead to pages, never to a script. */
function isSafe(url: string): boolean {
  return /^(?:https?:\/\/|\/(?!\/)|\?|#)/.test(url);
}
