import { loadProgress, type Plan } from '../../ccp-uat.ts';
import { EXIT } from '../../errors.ts';
import { type Host, printJson } from '../shared/host.ts';
import { table } from '../shared/table.ts';

/** Prints what would be done; nothing was started for it. */
export async function showPlan(
  host: Host,
  plans: readonly Plan[],
  { json }: { readonly json: boolean },
): Promise<number> {
  const { sentIn } = await loadProgress();
  if (json) printJson(host, plans.length === 1 ? plans[0] : { plans });
  else for (const plan of plans) host.out.write(textOf(host, plan, sentIn));
  return EXIT.ok;
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

function textOf({ out }: Host, plan: Plan, sentIn: (plan: Plan) => string): string {
  const probes = plan.waves.flatMap((wave, index) =>
    wave.map(({ id, client, lane, decision, scenario }) => {
      const played = typeof scenario === 'object' ? `${scenario.name} at ${scenario.provider}` : scenario;
      const to = decision === undefined ? lane : `${lane}, ${decision}`;
      return [String(index + 1), id, client === 'claude' ? 'Claude Code' : 'raw', to, played ?? '-'];
    }),
  );
  const unjudged = plan.checks.filter(({ skip }) => skip !== undefined);
  return [
    `${plan.suite}: ${plan.title}\n`,
    `upstream ${plan.upstream}, target ${plan.target.kind}, seed ${plan.seed}, at most ${plan.timeoutMs / 1000} s a probe\n`,
    `${licences(plan)}\n\n`,
    plan.driver === undefined
      ? table(out, ['wave', 'probe', 'client', 'lane', 'scenario'], probes)
      : `${sentIn(plan)}\n`,
    ...plan.skippedProbes.map(({ id, reason }) => `not sent: ${id} (${reason})\n`),
    `\n${plan.checks.length} checks: ${plan.checks.map(({ id }) => id).join(' ')}\n`,
    ...unjudged.map(({ id, skip }) => `not judged: ${id} (${skip})\n`),
    '\n',
  ].join('');
}
