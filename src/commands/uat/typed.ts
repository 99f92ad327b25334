/** What is typed after an option, read; what it can't be is refused in a sentence of its own. */
import { InvalidArgumentError } from 'commander';
import type { Shard } from '../../ccp-uat.ts';

/** An empty seed is the unset variable of a script, not a choice. */
export function someText(text: string): string {
  if (text !== '') return text;
  throw new InvalidArgumentError('It is empty.');
}

export function someClients(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text) && text !== '1') return Number(text);
  throw new InvalidArgumentError(
    'It is no whole number from 2 to 999; one client alone is "ccp-uat longrun".',
  );
}

export function someSeconds(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text) && Number(text) <= MOST_PAUSE_S) return Number(text);
  throw new InvalidArgumentError(`It is no number of seconds up to ${MOST_PAUSE_S}.`);
}

/** A day. */
const MOST_PAUSE_S = 86_400;

export function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is no whole number from 1 on.');
}

export function fewWorkers(text: string): number {
  const workers = wholeNumber(text);
  if (workers <= MOST_WORKERS) return workers;
  throw new InvalidArgumentError(`At most ${MOST_WORKERS} runs go on at the same time.`);
}

/** Each has a proxy, two upstreams and clients: more would judge the machine. */
const MOST_WORKERS = 16;

export function someShard(text: string): Shard {
  const [, index = 0, count = 0] = (/^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? []).map(Number);
  if (index >= 1 && index <= count) return { index, count };
  throw new InvalidArgumentError('It is no part of a whole: 2/3 is the second of three.');
}

export function someMinutes(text: string): number {
  const minutes = Number(text);
  if (/^\d/.test(text) && minutes > 0 && minutes <= MOST_MINUTES) return minutes;
  throw new InvalidArgumentError(`It is no number of minutes up to ${MOST_MINUTES}.`);
}

/** Two days. */
const MOST_MINUTES = 2880;
