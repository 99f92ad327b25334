/** Every saboteur there is, in the order in which a self-test tries them. */
import type { Saboteur } from '../types/saboteur.ts';
import { ANSWER_SABOTEURS } from './answers.ts';
import { BUNDLE_SABOTEURS } from './bundles.ts';
import { CLIENT_SABOTEURS } from './clients.ts';
import { KILL_SABOTEURS } from './kills.ts';
import { LICENSE_SABOTEURS } from './licenses.ts';
import { METER_SABOTEURS } from './meter.ts';
import { NIGHT_SABOTEURS } from './night.ts';
import { RECORD_SABOTEURS } from './records.ts';
import { REQUEST_SABOTEURS } from './requests.ts';
import { TIMEOUT_SABOTEURS } from './timeouts.ts';

export const SABOTEURS: readonly Saboteur[] = [
  ...REQUEST_SABOTEURS,
  ...ANSWER_SABOTEURS,
  ...CLIENT_SABOTEURS,
  ...RECORD_SABOTEURS,
  ...LICENSE_SABOTEURS,
  ...METER_SABOTEURS,
  ...TIMEOUT_SABOTEURS,
  ...KILL_SABOTEURS,
  ...NIGHT_SABOTEURS,
  ...BUNDLE_SABOTEURS,
];
