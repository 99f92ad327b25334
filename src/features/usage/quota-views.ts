/** The quotas as the endpoints see them, and as they show them: times as text. */
import { rfc3339 } from '../../platform/clock.ts';
import type { ProviderLimits, QuotaView } from '../../protocol/meter.ts';
import type { QuotaAnswer } from './answers.ts';

export interface QuotaViews {
  /** Where they come from; null without any. */
  readonly file: string | null;
  /** How full each of them is now. */
  views(): readonly QuotaView[];
  /**
   * Takes the quotas of `text`, or of the file as it is now where there is none. Throws `CONFIG`, saying why, and
   * keeps the old ones.
   */
  reload(text?: string): Promise<void> | void;
}

export function quotaAnswer(view: QuotaView): QuotaAnswer {
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

const limitsAnswer = ({ at, windows, refused, ...rest }: ProviderLimits): QuotaAnswer['provider_limits'] => ({
  ...rest,
  at: rfc3339(at),
  windows: windows.map((one) => ({ ...one, resets_at: timeOrNull(one.resets_at) })),
  refused:
    refused === null ? null : { ...refused, at: rfc3339(refused.at), until: timeOrNull(refused.until) },
});

const timeOrNull = (ms: number | null): string | null => (ms === null ? null : rfc3339(ms));
