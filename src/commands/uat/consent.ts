/** `--upstream real`: nothing is sent, and no credential is read, before it is said and allowed. */
import { loadSpend, type Plan, type RunRequest } from '../../ccp-uat.ts';
import { OperatorError } from '../../errors.ts';
import type { Host } from '../shared/host.ts';
import type { Terminal } from '../shared/terminal.ts';
import type { Opened } from './load.ts';

interface Asked {
  readonly host: Host;
  readonly terminal: Terminal;
  readonly opened: Opened;
  readonly plans: readonly Plan[];
  /** `--yes`: the question is answered. */
  readonly yes: boolean;
}

/**
 * The caller's credentials for real upstreams, undefined where none are meant. Throws USAGE where real
 * calls are not allowed or not confirmed, or would go in clear, CONFIG where a credential is missing.
 */
export async function consentToReal({
  host,
  terminal,
  opened,
  plans,
  yes,
}: Asked): Promise<RunRequest['credentials']> {
  const real = plans.filter(({ upstream }) => upstream === 'real');
  if (real.length === 0) return undefined;
  if (!opened.settings.allowRealApi) {
    throw new OperatorError('USAGE', '--upstream real is off: it spends money at the real providers', {
      hint: 'Set ALLOW_REAL_API=1 for this command to allow it.',
    });
  }
  for (const { target } of real) mustBePrivate(target);
  for (const line of await announcement(real)) host.err.write(`ccp-uat: ${line}\n`);
  if (!yes && !(await terminal.ask?.('Send it?', 'nothing was sent'))) {
    throw new OperatorError('USAGE', 'nothing was sent: not confirmed', {
      hint:
        terminal.ask === null
          ? 'There is nobody to ask here: --yes says so beforehand.'
          : 'Nothing was spent.',
    });
  }
  return {
    anthropicKey: required('ANTHROPIC_API_KEY', opened.secrets.get('ANTHROPIC_API_KEY')),
    zaiKey: required('ZAI_API_KEY', opened.secrets.get('ZAI_API_KEY')),
  };
}

/** A proxy elsewhere gets the caller's own key, so the way to it must not be readable. */
function mustBePrivate(target: Plan['target']): void {
  if (target.kind !== 'url') return;
  const url = URL.parse(target.url);
  if (url?.protocol === 'https:' || LOOPBACK.test(url?.hostname ?? '')) return;
  throw new OperatorError('USAGE', `--upstream real would send your key in clear to ${target.url}`, {
    hint: 'Name it with https, or one that runs on this machine.',
  });
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

async function announcement(plans: readonly Plan[]): Promise<string[]> {
  const { expectedSpend } = await loadSpend();
  return [
    'this run sends real requests, with your own ANTHROPIC_API_KEY and ZAI_API_KEY, billed to their accounts:',
    ...plans.flatMap((plan) =>
      expectedSpend(plan).map(
        ({ lane, requests, inputTokens, outputTokens }) =>
          `  ${plan.suite}, ${lane}: ${requests} requests, at most about ${inputTokens} tokens in and ${outputTokens} out`,
      ),
    ),
  ];
}

function required(name: string, value: string | null): string {
  if (value !== null) return value;
  throw new OperatorError('CONFIG', `${name} is not set, and --upstream real needs it`);
}
