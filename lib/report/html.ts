/** HTML, as opposed to text that has yet to be escaped. Only `html` and `trusted` make it. */
export class Html {
  constructor(readonly source: string) {}
}

type Part = Html | string | number | readonly Html[];

/** HTML from a template; texts in it are escaped, for contents and for quoted attributes. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(strings.map((text, i) => text + (i < parts.length ? sourceOf(parts[i] as Part) : '')).join(''));
}

function sourceOf(part: Part): string {
  if (part instanceof Html) return part.source;
  if (typeof part === 'object') return part.map(({ source }) => source).join('\n');
  return escapeText(String(part));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] as string);
}

/** No HTML at all: what an absent part is. */
export const nothing = new Html('');
