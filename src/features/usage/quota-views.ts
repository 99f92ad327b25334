/** The quotas as the endpoints see them, and as they show them: times as text. */
import { rfc3339 } from '../../platform/clock.ts';
import type { Cooldown } from '../../protocol/meter.ts';
import type { ProviderLimits, QuotaView } from '../../protocol/quota-view.ts';
import type { LimitsAnswer, QuotaAnswer, QuotasAnswer } from './answers.ts';

export interface QuotaViews {
  /** What becomes of an exchange that a quota does not let pass: `off`, `block` or `hybrid`. */
  readonly mode: string;
  /** Where they come from; null where there are none, or where they were sent. */
  readonly file: string | null;
  /** When they were taken over, epoch milliseconds. */
  readonly since: number;
  /** Since when, and why, what their file says now is not in force; null where it is. */
  readonly refused: { readonly since: number; readonly why: string } | null;
  /** How full each of them is now. */
  views(): readonly QuotaView[];
  /** Lanes that are left alone now, also for models that no quota names. */
  cooldowns(): readonly Cooldown[];
  /** Ends those of a lane, or of one key of it, or all; gives them. */
  endCooldowns(which: {
    readonly lane?: string | undefined;
    readonly key?: string | undefined;
  }): readonly Cooldown[];
  /** What the upstreams last said of their own limits, a lane each. */
  providerLimits(): readonly ProviderLimits[];
  /** What an operator should know, a sentence each: quotas that count nothing, … */
  warnings(): readonly string[];
  /** Whether the windows still lack what the store has. */
  rebuilding(): boolean;
  /** Why the store cannot tell what they lack, and what to do; null while it can. */
  rebuildTrouble(): string | null;
  /** Takes the quotas of `sent`, or of the file as it is now where there is none; a bad one changes nothing. */
  reload(sent?: Uint8Array): { readonly ok: true } | { readonly ok: false; readonly why: string };
}

export const quotasReport = (quota: QuotaViews, now: number): QuotasAnswer => ({
  generated_at: rfc3339(now),
  mode: quota.mode,
  file: quota.file,
  since: rfc3339(quota.since),
  refused: quota.refused === null ? null : { ...quota.refused, since: rfc3339(quota.refused.since) },
  rebuilding: quota.rebuilding(),
  rebuild_trouble: quota.rebuildTrouble(),
  warnings: [...quota.warnings()],
  quotas: quota.views().map(quotaAnswer),
  cooldowns: quota.cooldowns().map(cooldownAnswer),
  provider_limits: quota.providerLimits().map(limitsAnswer),
});

export const cooldownAnswer = (cooldown: Cooldown): QuotasAnswer['cooldowns'][number] => ({
  ...cooldown,
  until: rfc3339(cooldown.until),
});

function quotaAnswer(view: QuotaView): QuotaAnswer {
  const { cooldown_until, provider_limits } = view;
  return {
    ...view,
    ...hoursOf(view),
    cooldown_until: timeOrNull(cooldown_until),
    provider_limits: provider_limits === null ? null : limitsAnswer(provider_limits),
  };
}

type Hours = Pick<QuotaAnswer, 'peak_hour' | 'fastest_hour'>;

export const hoursOf = ({ peak_hour, fastest_hour }: Pick<QuotaView, keyof Hours>): Hours => ({
  peak_hour: peak_hour === null ? null : { ...peak_hour, start: rfc3339(peak_hour.start) },
  fastest_hour: fastest_hour === null ? null : { ...fastest_hour, start: rfc3339(fastest_hour.start) },
});

const limitsAnswer = ({ at, windows, refused, ...rest }: ProviderLimits): LimitsAnswer => ({
  ...rest,
  at: rfc3339(at),
  windows: windows.map((one) => ({ ...one, resets_at: timeOrNull(one.resets_at) })),
  refused:
    refused === null ? null : { ...refused, at: rfc3339(refused.at), until: timeOrNull(refused.until) },
});

const timeOrNull = (ms: number | null): string | null => (ms === null ? null : rfc3339(ms));
