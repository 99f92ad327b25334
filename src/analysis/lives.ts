/** The lives of the proxy in a run: which of them something belongs to, and what all of them answered. */
import type { ProxyAnswers } from '../protocol/witness.ts';
import type { Evidence, ProxyLife } from './evidence.ts';

type Lives = Pick<Evidence, 'lives'>;

/** One answer of each life; none at all where a life gave none, as what the others say is not the whole then. */
export function answersOf<K extends keyof ProxyAnswers>(
  { lives }: Lives,
  name: K,
): { readonly life: ProxyLife; readonly answer: NonNullable<ProxyAnswers[K]> }[] {
  const given = lives.flatMap((life) => {
    const answer = life.answers[name];
    return answer === null || answer === undefined ? [] : [{ life, answer }];
  });
  return given.length === lives.length ? given : [];
}

/** Whether something that began at `startedAt` (epoch milliseconds) did so in this life: before the next was ready. */
export function isDuring({ lives }: Lives, life: ProxyLife, startedAt: number): boolean {
  const at = lives.indexOf(life);
  const next = lives[at + 1];
  return (at === 0 || startedAt >= life.startedAt) && (next === undefined || startedAt < next.startedAt);
}

/** Where to look for what a life said. */
export const saidBy = ({ lives }: Lives, { stage }: ProxyLife, where: string): string =>
  lives.length > 1 ? `${where} in stage ${stage}` : where;
