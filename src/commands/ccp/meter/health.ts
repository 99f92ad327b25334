/** What the proxy says of itself from memory, without a look at an upstream or the store. */
import { z } from 'zod';
import { plain } from '../../shared/host.ts';

/** What `/healthz` answers; an older proxy says nothing of a pause or an override. */
export const health = z.object({
  version: z.string(),
  uptime_s: z.number(),
  paused: z.boolean().default(false),
  model_override: z.string().nullable().default(null),
});

export type Health = z.infer<typeof health>;

/** What holds before any route, in few words; none where each request goes by its own model. A pause goes first. */
export function takenOver({ paused, model_override }: Health): string[] {
  if (paused) return ['paused'];
  return model_override === null ? [] : [`all routed as ${plain(model_override)}`];
}
