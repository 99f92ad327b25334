export const USAGE_PATH = '/v1/usage';
export const SAMPLES_PATH = '/v1/usage/samples';
export const ROLLUPS_PATH = '/v1/usage/rollups';
export const LIVE_PATH = '/v1/usage/live';
export const QUOTAS_PATH = '/v1/quotas';
export const RELOAD_PATH = '/v1/quotas/reload';
export const END_COOLDOWN_PATH = '/v1/quotas/end-cooldown';
export const SIM_PATH = '/v1/dev/sim-usage';
