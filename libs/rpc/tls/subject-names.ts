/** One entry of Node's text form of a subject alternative name: its kind, and its value, quoted where it is odd. */
const entry = /(DNS|URI|IP Address|[A-Za-z0-9 .]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/y;

/**
 * DNS and URI names of a certificate, from the text that Node makes of its subject alternative name. Node quotes a value
 * that holds a comma or a quote; taken apart at commas alone, it could pass for several names.
 *
 * @returns no name at all where the text has another form
 */
export function subjectNames(alternativeName: string | undefined): string[] {
  const names: string[] = [];
  const text = alternativeName ?? "";
  entry.lastIndex = 0;
  while (entry.lastIndex < text.length) {
    const found = entry.exec(text);
    if (!found) return [];
    const [, kind, value = ""] = found;
    if ((kind === "DNS" || kind === "URI") && !value.startsWith('"')) names.push(value);
  }
  return names;
}
