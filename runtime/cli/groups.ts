/** Headings under which `mach --help` shows the commands. */
export const groups = {
  write: 'Write and check topologies:',
  run: 'Run:',
  look: 'Look inside:',
  other: 'More:',
} as const;
