import { z } from 'zod';
import type { LoadedCcp } from '../../config/ccp-settings.ts';
import { USAGE_PATH } from '../../config/usage-answers.ts';
import { askProxy, type Question } from './ask-proxy.ts';

/** What is said of a pause, licence, policy and store; what an older proxy, or the path asked, does not say is null or no. */
const stateSchema = z.object({
  paused: z.boolean().catch(false),
  license: z
    .object({
      ok: z.boolean(),
      plan: z.string(),
      features: z.array(z.string()).readonly(),
      reason: z.string().nullable(),
    })
    .nullable()
    .catch(null),
  policy: z
    .object({
      source: z.string(),
      version: z.number().nullable(),
      age_s: z.number().nullable(),
      reason: z.string().nullable(),
    })
    .nullable()
    .catch(null),
  store: z
    .object({
      ok: z.boolean(),
      reason: z.string().nullable(),
      remedy: z.string().nullable().catch(null),
      path: z.string().nullable(),
    })
    .nullable()
    .catch(null),
});

export type ProxyState = z.infer<typeof stateSchema>;

/**
 * What the proxy that runs with these settings has in effect; null where none answers in 5 s. It asks its upstreams for
 * it, for up to 2 s.
 */
export const askProxyState = (loaded: LoadedCcp): Promise<ProxyState | null> =>
  ask(loaded, { path: '/readyz' });

/** How its store fares, of which it asks nobody; null where it does not say so in 300 ms. */
export const askStoreState = async (loaded: LoadedCcp): Promise<ProxyState['store']> =>
  (await ask(loaded, { path: `${USAGE_PATH}?since=-1m`, patienceMs: 300 }))?.store ?? null;

async function ask(
  loaded: LoadedCcp,
  question: Pick<Question, 'path' | 'patienceMs'>,
): Promise<ProxyState | null> {
  const answer = await askProxy(loaded, { method: 'GET', ...question });
  if (!answer.answered) return null;
  try {
    return stateSchema.parse(JSON.parse(answer.body));
  } catch {
    return null;
  }
}
