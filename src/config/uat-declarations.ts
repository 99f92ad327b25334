/** Every setting of `ccp-uat`, declared once; `docs/settings.md` is made from this. */
import { logsDir, resultsDir, zaiApiKey } from './common-declarations.ts';
import { flag, listOf, seconds } from './kinds.ts';
import { setting } from './setting.ts';

export const UAT_DECLARATIONS = {
  logsDir,
  resultsDir,
  timeoutSecs: setting(seconds, {
    env: ['TIMEOUT_SECS'],
    flag: '--timeout-secs',
    trust: 'cwd',
    help: "Limit of each probe in seconds; where it is not set, the suite's own.",
  }),
  smokeLanes: setting(listOf('anthropic', 'zai'), {
    env: ['SMOKE_LANES'],
    flag: '--lanes',
    default: 'anthropic,zai',
    trust: 'cwd',
    help: 'Lanes of which smoke-license sends the probes.',
  }),
  useLicenseLogin: setting(flag, {
    env: ['USE_LICENSE_LOGIN'],
    flag: '--login',
    default: '0',
    trust: 'cwd',
    help: 'Lets smoke-license get its trial from an issuer of its own, by `ccp license login`.',
  }),
  allowRealApi: setting(flag, {
    env: ['ALLOW_REAL_API'],
    default: '0',
    help: 'Lets --upstream real spend money at the real providers.',
  }),
};

/** The credentials among the variables, used with --upstream real only. */
export const UAT_SECRETS = { zaiApiKey };
