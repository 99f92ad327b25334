/** Items of an event stream as bytes (WHATWG HTML, 9.2.6), with any of the three line ends it allows. */
import type { Framing, Item } from './scenario.ts';
import { fill, fillJson, type Json, type TemplateContext } from './template.ts';

const LINE_END: Readonly<Record<Framing, string>> = { lf: '\n', crlf: '\r\n', cr: '\r' };

export function encodeItem(item: Item, framing: Framing, context: TemplateContext): Buffer {
  const end = LINE_END[framing];
  if ('comment' in item) return Buffer.from(`: ${fill(item.comment, context)}${end}${end}`);
  const data = fillJson(item.data, context);
  const name = item.event ?? typeOf(data);
  const lines = name === undefined || name === 'none' ? [] : [`event: ${name}`];
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  lines.push(...text.split('\n').map((line) => `data: ${line}`));
  return Buffer.from(lines.map((line) => line + end).join('') + end);
}

function typeOf(data: Json): string | undefined {
  if (data === null || typeof data !== 'object' || !('type' in data)) return undefined;
  return typeof data['type'] === 'string' ? data['type'] : undefined;
}
