import { type Html, html, nothing } from './html.js';
import { short } from './numbers.js';

type Entry = readonly [name: string, value: string];

/** The configuration as names and values: what is no object comes first, then one group for each object. */
export function configurationGroups(configuration: Readonly<Record<string, unknown>>): Html {
  const all = Object.entries(configuration);
  const plain = all.filter(([, value]) => !isGroup(value)).flatMap(([name, value]) => entriesOf(name, value));
  const groups = all
    .filter((entry): entry is [string, object] => isGroup(entry[1]))
    .map(([name, group]) => [name, Object.entries(group).flatMap(([key, value]) => entriesOf(key, value))] as const);
  return html`<div class="groups">${[['', plain] as const, ...groups].map(([name, entries]) => groupOf(name, entries))}</div>`;
}

function groupOf(name: string, entries: readonly Entry[]): Html {
  if (entries.length === 0) return nothing;
  const rows = entries.map(([key, value]) => html`<tr><th scope="row">${key}</th><td>${value}</td></tr>`);
  return html`<table>${name ? html`<caption>${name}</caption>` : nothing}<tbody>${rows}</tbody></table>`;
}

function isGroup(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !isList(value) && !(value instanceof Date);
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value);
}

// Deep enough for every configuration, and an end for one that contains itself.
const depthLimit = 6;

// One name and value, or those within an object, each with its path as name.
function entriesOf(name: string, value: unknown, depth = 1): Entry[] {
  if (value === undefined) return [];
  if (!isGroup(value) || depth > depthLimit) return [[name, textOf(value)]];
  return Object.entries(value).flatMap(([key, inner]) => entriesOf(`${name} · ${key}`, inner, depth + 1));
}

const listLimit = 40;

function textOf(value: unknown): string {
  if (value === null) return 'none';
  if (typeof value === 'number') return short(value, 6);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '–' : value.toISOString();
  if (isList(value)) {
    if (value.length === 0) return 'none';
    const shown = Array.from({ length: Math.min(value.length, listLimit) }, (_, i) => textOf(value[i]));
    return `${shown.join(', ')}${value.length > listLimit ? `, … (${value.length})` : ''}`;
  }
  return isGroup(value) ? '…' : String(value);
}
