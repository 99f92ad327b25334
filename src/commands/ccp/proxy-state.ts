import { z } from 'zod';
import type { LoadedCcp } from '../../config/ccp-settings.ts';
import { askProxy, type Question } from './ask-proxy.ts';

/** What `/readyz` says of the licence, the policy and the store; what an older proxy does not say is null. */
const stateSchema = z.object({
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

/** What the proxy that runs with these settings has in effect; null where none answers in time, by default in 5 s. */
export async function askProxyState(
  loaded: LoadedCcp,
  { patienceMs }: Pick<Question, 'patienceMs'> = {},
): Promise<ProxyState | null> {
  const patience = patienceMs === undefined ? {} : { patienceMs };
  const answer = await askProxy(loaded, { method: 'GET', path: '/readyz', ...patience });
  if (!answer.answered) return null;
  try {
    return stateSchema.parse(JSON.parse(answer.body));
  } catch {
    return null;
  }
}
