/** Times as text in a form that the author writes: `yyyy-MM-dd HH:mm`. */

const secondMs = 1_000;
const minuteMs = 60_000;
const hourMs = 3_600_000;
const dayMs = 86_400_000;

/** What a run of one letter stands for, and how long a time all of it stays the same. */
const letters: Readonly<Record<string, { readonly of: (date: Date) => number; readonly sameForMs: number }>> = {
  yyyy: { of: (date) => date.getUTCFullYear(), sameForMs: dayMs },
  MM: { of: (date) => date.getUTCMonth() + 1, sameForMs: dayMs },
  dd: { of: (date) => date.getUTCDate(), sameForMs: dayMs },
  HH: { of: (date) => date.getUTCHours(), sameForMs: hourMs },
  mm: { of: (date) => date.getUTCMinutes(), sameForMs: minuteMs },
  ss: { of: (date) => date.getUTCSeconds(), sameForMs: secondMs },
  SSS: { of: (date) => date.getUTCMilliseconds(), sameForMs: 1 },
};

const formLengthMax = 100;

export type TimeForm = { readonly problem: string } | { readonly write: (localMs: number) => string };

export function compileTimeForm(form: string): TimeForm {
  if (form.length > formLengthMax) return { problem: `it has more than ${formLengthMax} characters` };
  const parts: (string | ((date: Date) => string))[] = [];
  let sameForMs = dayMs;
  for (const [run] of form.matchAll(/'[^']*'|([A-Za-z])\1*|[^A-Za-z']+|'/g)) {
    if (run === "'") return { problem: 'a quote is not closed' };
    const part = Object.hasOwn(letters, run) ? letters[run] : undefined;
    if (part) {
      sameForMs = Math.min(sameForMs, part.sameForMs);
      parts.push((date) => String(part.of(date)).padStart(run.length, '0'));
    } else if (/^[A-Za-z]/.test(run)) {
      return {
        problem: `"${run}" is none of ${Object.keys(letters).join(', ')}; other letters stand in single quotes`,
      };
    } else parts.push(run.startsWith("'") ? run.slice(1, -1) : run);
  }
  // Times mostly rise: the text of the last one is mostly that of the next.
  let last = Number.NaN;
  let text = '';
  return {
    write(localMs) {
      const step = Math.floor(localMs / sameForMs);
      if (step === last) return text;
      const date = new Date(step * sameForMs);
      last = step;
      text = parts.map((part) => (typeof part === 'string' ? part : part(date))).join('');
      return text;
    },
  };
}
