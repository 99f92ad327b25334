import type { Check } from '../check.ts';
import { about } from '../check-kit.ts';
import { accountOf } from '../exchanges.ts';
import { limitOf } from '../stated-limit.ts';

/** The run that looks for it. */
export const LIMIT_PROBE = 'probe-limits';

const found: Check = {
  id: 'LIMIT-01',
  title: 'The lane said that its window is used up, and when it opens again; nothing was sent after that',
  // The answer that says so.
  least: 1,
  judge(evidence) {
    if (evidence.suite !== LIMIT_PROBE)
      return { observed: 0, violations: [], skipped: 'the run looks for no limit' };
    const inOrder = accountOf(evidence).exchanges.toSorted((a, b) => a.client.startedAt - b.client.startedAt);
    const at = inOrder.findIndex(({ client }) => limitOf(client)?.isWindow === true);
    const [hit, ...after] = at === -1 ? [] : inOrder.slice(at);
    if (hit === undefined)
      return { observed: 0, violations: [], note: `no limit within ${inOrder.length} requests` };
    const limit = limitOf(hit.client);
    return {
      observed: 1,
      violations: [
        ...(limit?.resetsAt === null ? [about(hit, 'the lane did not say when its window opens again')] : []),
        ...after.map((exchange) => about(exchange, 'was sent although the window was used up')),
      ],
      note: `after ${at} requests`,
    };
  },
};

export const LIMIT_CHECKS: readonly Check[] = [found];
