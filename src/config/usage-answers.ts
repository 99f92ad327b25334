/** What a running proxy's meter answers, for the commands that ask it. */
export {
  type DiversionsAnswer,
  diversionsAnswer,
  endedAnswer,
  type LimitsAnswer,
  type ModelUsage,
  type QuotaAnswer,
  type QuotasAnswer,
  quotasAnswer,
  type StoreState,
  type Totals,
  type UsageAnswer,
  usageAnswer,
} from '../features/usage/answers.ts';
export {
  DIVERSIONS_PATH,
  END_COOLDOWN_PATH,
  QUOTAS_PATH,
  RELOAD_PATH,
  USAGE_PATH,
} from '../features/usage/paths.ts';
export { parseMoment } from '../protocol/point-in-time.ts';
