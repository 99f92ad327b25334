/** Asks a target what its meter says over HTTP (contract, section 8). */
import { setTimeout as sleep } from 'node:timers/promises';
import type { MeterAnswers } from '../protocol/witness.ts';
import type { Target } from './types/target.ts';

/** For rollups, which are made now and then, to hold every sample. */
const ROLLUP_MS = 2_000;
const POLL_MS = 50;
const PAGE = 500;
/** More pages than any run fills: a cursor that leads nowhere must not go on for ever. */
const MAX_PAGES = 400;

type Asked = Pick<Target, 'get'>;

/** Null where the target has none: what it does not know itself it may relay, so `/readyz` must speak of a store first. */
export async function askMeter(target: Asked, readyz: unknown): Promise<MeterAnswers | null> {
  if (record(record(readyz)['store'])['ok'] === undefined) return null;
  const samples = await allSamples(target);
  const [hour, usage, quotas] = await Promise.all([
    rolledUp(target, samples.length),
    document(target, '/v1/usage'),
    document(target, '/v1/quotas'),
  ]);
  return { usage, samples, hour, day: await document(target, '/v1/usage/rollups?granularity=day'), quotas };
}

async function allSamples(target: Asked): Promise<readonly unknown[]> {
  const samples: unknown[] = [];
  let cursor = '';
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answer = record(await document(target, `/v1/usage/samples?limit=${PAGE}${cursor}`));
    samples.push(...list(answer['samples']));
    const next = answer['next_cursor'];
    if (typeof next !== 'string') return samples;
    cursor = `&cursor=${encodeURIComponent(next)}`;
  }
  return samples;
}

/** The rollups by hour, once they count as many exchanges as there are samples, or when it has waited enough. */
async function rolledUp(target: Asked, samples: number): Promise<unknown> {
  const deadline = performance.now() + ROLLUP_MS;
  for (;;) {
    const answer = await document(target, '/v1/usage/rollups?granularity=hour');
    const counted = list(record(answer)['rollups']).reduce<number>(
      (sum, rollup) => sum + Number(record(rollup)['count']),
      0,
    );
    if (counted >= samples || performance.now() > deadline) return answer;
    await sleep(POLL_MS);
  }
}

/** Null where there is no such document. */
async function document(target: Asked, path: string): Promise<unknown> {
  const answer = await target.get(path).catch(() => null);
  if (answer?.status !== 200) return null;
  try {
    return JSON.parse(answer.body);
  } catch {
    return answer.body;
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
