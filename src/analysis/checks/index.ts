import type { Check } from '../check.ts';
import { ABORT_CHECKS } from './abort.ts';
import { BYTES_CHECKS } from './bytes.ts';
import { ENDING_CHECKS } from './ending.ts';
import { HEADER_CHECKS } from './header.ts';
import { HYGIENE_CHECKS } from './hygiene.ts';
import { LICENSE_CHECKS } from './license.ts';
import { LIMIT_CHECKS } from './limit.ts';
import { LOG_CHECKS } from './log.ts';
import { NIGHT_CHECKS } from './night.ts';
import { PERSIST_CHECKS } from './persist.ts';
import { QUOTA_CHECKS } from './quota.ts';
import { RECONCILE_CHECKS } from './reconcile.ts';
import { RESTART_CHECKS } from './restart.ts';
import { ROUTE_CHECKS } from './route.ts';
import { STATUS_CHECKS } from './status.ts';
import { STORE_CHECKS } from './store.ts';
import { STREAM_CHECKS } from './stream.ts';
import { SURFACE_CHECKS } from './surface.ts';
import { TIMEOUT_CHECKS } from './timeout.ts';
import { TOKENS_CHECKS } from './tokens.ts';
import { USAGE_CHECKS } from './usage.ts';

/** All checks there are, in the order of the verdict table. `docs/checks.md` says what each one catches. */
export const CHECKS: readonly Check[] = [
  ...ROUTE_CHECKS,
  ...HEADER_CHECKS,
  ...BYTES_CHECKS,
  ...STATUS_CHECKS,
  ...STREAM_CHECKS,
  ...TOKENS_CHECKS,
  ...SURFACE_CHECKS,
  ...LICENSE_CHECKS,
  ...RESTART_CHECKS,
  ...LOG_CHECKS,
  ...RECONCILE_CHECKS,
  ...ENDING_CHECKS,
  ...STORE_CHECKS,
  ...USAGE_CHECKS,
  ...QUOTA_CHECKS,
  ...LIMIT_CHECKS,
  ...TIMEOUT_CHECKS,
  ...PERSIST_CHECKS,
  ...NIGHT_CHECKS,
  ...HYGIENE_CHECKS,
  ...ABORT_CHECKS,
];
