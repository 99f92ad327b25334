/** The upstreams of a world: two mocks, or what stands for the real ones. */
import { OperatorError } from '../errors.ts';
import type { Ca } from './certs.ts';
import type { ProviderId, UpstreamMock, WorldPlan } from './types/world.ts';
import { loadScenarios } from './upstream/scenarios.ts';
import { startUpstream } from './upstream/upstream.ts';

export type Upstreams = Readonly<Record<ProviderId, UpstreamMock>>;

/** Base URLs of the contract, section 3. */
const REAL = { anth: 'https://api.anthropic.com', zai: 'https://api.z.ai/api/anthropic' } as const;

/** Hands what it starts to `stack`. */
export async function startUpstreams(
  plan: WorldPlan,
  ca: Ca,
  stack: AsyncDisposableStack,
): Promise<Upstreams> {
  if (plan.upstream?.kind === 'real') return { anth: realUpstream('anth'), zai: realUpstream('zai') };
  const scenarios = await loadScenarios();
  const { seed, h2 = true, keepBodies = true } = plan;
  const start = async (provider: ProviderId) =>
    stack.use(await startUpstream({ provider, ca, scenarios, seed, h2, keepBodies }));
  return { anth: await start('anth'), zai: await start('zai') };
}

function realUpstream(provider: ProviderId): UpstreamMock {
  return {
    url: REAL[provider],
    transcripts: () => [],
    idle: async () => {},
    openSockets: () => 0,
    play: (name) => {
      throw new OperatorError('USAGE', `${REAL[provider]} cannot be told to play ${name}`);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
