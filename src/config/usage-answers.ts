/** What a running proxy's meter answers, for the commands that ask it. */
export {
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
export { QUOTAS_PATH, RELOAD_PATH, USAGE_PATH } from '../features/usage/paths.ts';
