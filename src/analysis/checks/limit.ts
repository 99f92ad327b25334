import type { Check } from '../check.ts';
import { about } from '../check-kit.ts';
import { accountOf } from '../exchanges.ts';
import { limitOf, meaningOf } from '../stated-limit.ts';

/** The run that looks for it. */
export const LIMIT_PROBE = 'probe-limits';

const found: Check = {
  id: 'LIMIT-01',
  title:
    'The lane said that its window is used up, and when it opens again; nothing was sent after it refused',
  // The answer that says so.
  least: 1,
  judge(evidence) {
    if (evidence.suite !== LIMIT_PROBE)
      return { observed: 0, violations: [], skipped: 'the run looks for no limit' };
    const inOrder = accountOf(evidence).exchanges.toSorted((a, b) => a.client.startedAt - b.client.startedAt);
    const at = inOrder.findIndex(({ client }) => meaningOf(client) === 'over');
    const [end, ...after] = at === -1 ? [] : inOrder.slice(at);
    if (end === undefined)
      return { observed: 0, violations: [], note: `no limit within ${inOrder.length} requests` };
    const limit = limitOf(end.client);
    const isFound = limit?.isWindow === true;
    const status = end.client.response?.status;
    return {
      observed: isFound ? 1 : 0,
      violations: [
        ...(isFound && limit.resetsAt === null
          ? [about(end, 'the lane did not say when its window opens again')]
          : []),
        ...after.map((exchange) => about(exchange, 'was sent although the lane had refused')),
      ],
      note: isFound
        ? `after ${at} requests`
        : `request ${at + 1} met no limit of a window: ${status === undefined ? 'no answer' : `an answer with status ${status}`}`,
    };
  },
};

export const LIMIT_CHECKS: readonly Check[] = [found];
