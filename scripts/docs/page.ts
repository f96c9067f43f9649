/** A page of Markdown that is made, not written. */
export interface Page {
  /** Relative to the root of the repository. */
  readonly file: string;
  readonly title: string;
  readonly intro: string;
  readonly sections: readonly string[];
}

export function renderPage({ title, intro, sections }: Page): string {
  return `# ${title}\n\n<!-- Made by \`npm run docs\`; do not edit. -->\n\n${intro}\n\n${sections.join('\n\n')}\n`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
