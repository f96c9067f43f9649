/** The metrics of several workers as one page: each sample keeps its worker as a label. */

interface Family {
  readonly head: string[];
  readonly samples: string[];
}

const sample = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?( .+)$/;

function withWorker(line: string, worker: string): string | undefined {
  const found = sample.exec(line);
  if (!found) return undefined;
  const [, name, labels, value] = found;
  return `${name}{${[`worker="${worker}"`, labels].filter(Boolean).join(',')}}${value}`;
}

/** `worker`: a name without quotes or backslashes. */
export function mergeMetrics(pages: readonly { readonly worker: string; readonly text: string }[]): string {
  const families = new Map<string, Family>();
  const familyOf = (name: string): Family => {
    const known = families.get(name) ?? { head: [], samples: [] };
    families.set(name, known);
    return known;
  };
  for (const { worker, text } of pages) {
    // Samples follow the head of their family; the names of a histogram's samples differ from the family's.
    let family: Family | undefined;
    for (const line of text.split('\n')) {
      const head = /^# (HELP|TYPE) (\S+)/.exec(line);
      if (head) {
        family = familyOf(head[2] as string);
        if (!family.head.includes(line)) family.head.push(line);
        continue;
      }
      const merged = withWorker(line, worker);
      if (merged) (family ?? familyOf('')).samples.push(merged);
    }
  }
  return [...families.values()].map(({ head, samples }) => `${[...head, ...samples].join('\n')}\n`).join('\n');
}
