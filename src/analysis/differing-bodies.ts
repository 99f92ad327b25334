import type { Transcript } from '../protocol/transcript.ts';
import { withoutCredentialShapes } from './hygiene.ts';
import { decodedBody } from './oracle/answer.ts';
import { plural } from './plural.ts';
import { printable } from './printable.ts';

/** Characters of each body. */
const SHOWN = 120;
/** Of what both have in common, before the first character that differs. */
const COMMON = 30;

/**
 * The size of two answers, and what each says from where they begin to differ, so that a person sees what was done to one.
 * Of one that was not kept, or does not decode, the size alone.
 */
export function differingBodies(one: Transcript, other: Transcript): readonly [string, string] {
  const [left, right] = [textOf(one), textOf(other)];
  const from = left === null || right === null ? 0 : Math.max(0, firstDifference(left, right) - COMMON);
  return [inWords(one, left, from), inWords(other, right, from)];
}

function inWords({ response }: Transcript, text: string | null, from: number): string {
  const size = plural(response?.body.bytes ?? 0, 'byte');
  if (text === null || text === '') return size;
  const shown = text.slice(from, from + SHOWN).toWellFormed();
  return `${size}: ${from > 0 ? '…' : ''}${shown}${from + SHOWN < text.length ? '…' : ''}`;
}

function textOf(transcript: Transcript): string | null {
  const body = decodedBody(transcript);
  return body === null ? null : printable(withoutCredentialShapes(body.toString('utf8')));
}

function firstDifference(one: string, other: string): number {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  return at;
}
