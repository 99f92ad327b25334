import { isDeepStrictEqual } from 'node:util';
import { loadProgress, loadSpend, type Plan, plural, WHOLE_RUN } from '../../ccp-uat.ts';
import { EXIT } from '../../errors.ts';
import { type Host, printJson } from '../shared/host.ts';
import { table } from '../shared/table.ts';

/** Prints what would be done; nothing was started for it. */
export async function showPlan(
  host: Host,
  plans: readonly Plan[],
  { json, workers }: { readonly json: boolean; readonly workers: number },
): Promise<number> {
  if (json) {
    printJson(host, plans.length === 1 ? plans[0] : { plans });
    return EXIT.ok;
  }
  const [{ sentIn }, { expectedSpend }] = await Promise.all([loadProgress(), loadSpend()]);
  if (plans.length > 1)
    host.out.write(
      `${plans.length} runs, ${workers === 1 ? 'one after the other' : `${workers} at a time`}\n\n`,
    );
  for (const [plan, times] of inRows(plans, (one) => ({ ...one, run: '' })))
    host.out.write(textOf(host, plan, { sentIn, expectedSpend, times }));
  return EXIT.ok;
}

/** Neighbours that are alike but for what `plain` takes away, once, with how many they are. */
function inRows<T>(items: readonly T[], plain: (item: T) => unknown): [item: T, times: number][] {
  const rows: [T, number][] = [];
  for (const item of items) {
    const last = rows.at(-1);
    if (last !== undefined && isDeepStrictEqual(plain(last[0]), plain(item))) last[1] += 1;
    else rows.push([item, 1]);
  }
  return rows;
}

const WAYS = { environment: '', command: ' by ccp license', login: ' by ccp license login' } as const;

function licences({ stages }: Plan): string {
  const shown = stages.map(({ name, license, by }) =>
    stages.length > 1 ? `${name} (${license}${WAYS[by]})` : license,
  );
  return stages.length > 1
    ? `stages ${shown.join(', ')}; the proxy is restarted between them`
    : `licence ${shown.join()}`;
}

interface Shown {
  readonly sentIn: Awaited<ReturnType<typeof loadProgress>>['sentIn'];
  readonly expectedSpend: Awaited<ReturnType<typeof loadSpend>>['expectedSpend'];
  readonly times: number;
}

type Probe = Plan['waves'][number][number];

/** A probe that is sent several times has a number at the end of its name. */
const unnumbered = ({ id, ...probe }: Probe) => ({ ...probe, id: id.replace(/-\d+$/, '') });

function textOf({ out }: Host, plan: Plan, { sentIn, expectedSpend, times }: Shown): string {
  let waves = 0;
  const probes = inRows(plan.waves, (wave) => (wave.length === 1 ? wave : wave.map(unnumbered))).flatMap(
    ([wave, alikeWaves]) => {
      const first = waves + 1;
      waves += alikeWaves;
      const which = alikeWaves === 1 ? String(first) : `${first}–${waves}`;
      return inRows(wave, unnumbered).map(([probe, alike]) => {
        const { id, client, lane, decision, scenario } = probe;
        const played = typeof scenario === 'object' ? `${scenario.name} at ${scenario.provider}` : scenario;
        const to = decision === undefined ? lane : `${lane}, ${decision}`;
        const name = alike === 1 ? id : `${unnumbered(probe).id} × ${alike}`;
        return [which, name, client === 'claude' ? 'Claude Code' : 'raw', to, played ?? '-'];
      });
    },
  );
  // As the run will count them.
  const judged = [WHOLE_RUN, ...plan.checks];
  const unjudged = plan.checks.filter(({ skip }) => skip !== undefined);
  return [
    `${plan.suite}${times === 1 ? '' : `, ${times} times`}: ${plan.title}\n`,
    `upstream ${plan.upstream}, target ${plan.target.kind}, seed ${plan.seed}, at most ${plan.timeoutMs / 1000} s a probe\n`,
    `${licences(plan)}\n\n`,
    plan.driver === undefined
      ? table(out, ['wave', 'probe', 'client', 'lane', 'scenario'], probes)
      : `${sentIn(plan)}\n`,
    ...plan.skippedProbes.map(({ id, reason }) => `not sent: ${id} (${reason})\n`),
    `\n${plural(judged.length, 'check')}: ${judged.map(({ id }) => id).join(' ')}\n`,
    ...unjudged.map(({ id, skip }) => `not judged: ${id} (${skip})\n`),
    ...(plan.upstream === 'mock'
      ? ['spends nothing: the upstreams are mocks\n']
      : expectedSpend(plan).map(
          ({ lane, requests, inputTokens, outputTokens }) =>
            `spends at ${lane}${times === 1 ? '' : ', each time'}: ${requests} requests, at most about ${inputTokens} tokens in and ${outputTokens} out\n`,
        )),
    '\n',
  ].join('');
}
