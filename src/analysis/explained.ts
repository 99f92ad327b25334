/** Decisions that are a reason for traffic of an offloaded model on the Anthropic lane (contract, sections 4 and 5). */
const EXPLANATIONS = new Set([
  'manual_override',
  'offload_paused',
  'license_block',
  'quota_block',
  'cooldown',
  'no_credential',
]);

/** Whether a decision explains why a haiku request went to Anthropic. */
export function explainsAnthropic(decision: string): boolean {
  return EXPLANATIONS.has(decision) || isFallback(decision);
}

/** Whether a decision says that another lane was tried first and failed. */
export const isFallback = (decision: string): boolean => decision.startsWith('fallback_');
