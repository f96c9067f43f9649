/** Text of SQL: names and literals, validated and quoted in one place. */
const namePattern = /^[A-Za-z_][A-Za-z0-9_]{0,126}$/;

/** Names of tables and columns: a letter or underscore, then letters, digits, underscores; 127 at most. */
export function isName(name: string): boolean {
  return namePattern.test(name);
}

/** Quotes a name of a table, column or database. */
export function quoteName(name: string): string {
  return `\`${name.replace(/\\/g, '\\\\').replace(/`/g, '\\`')}\``;
}

/** Quotes a string literal. */
export function quoteText(text: string): string {
  return `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`;
}
