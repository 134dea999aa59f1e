/** The fields of a line as escaped by the server, where `\u{9}` is a tab and `\\` a backslash. */
export function withTabs(text: string): string[] {
  const fields = ['']
  for (const [piece] of text.matchAll(/\\\\|\\u\{9\}|[^\\]+|\\/g)) {
    if (piece === '\\u{9}') fields.push('')
    else fields[fields.length - 1] += piece
  }
  return fields
}
