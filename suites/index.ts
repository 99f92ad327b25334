import type { Suite } from '../src/runs/suite.ts';
import { crowd, crowdWaves } from './crowd.ts';
import { haikuSonnet } from './haiku-sonnet.ts';
import { haikuZai } from './haiku-zai.ts';
import { longrun } from './longrun.ts';
import { overnight } from './overnight.ts';
import { parallel } from './parallel.ts';
import { probeLimits } from './probe-limits.ts';
import { quota } from './quota.ts';
import { reproGo } from './repro-go.ts';
import { reproGoQuick } from './repro-go-quick.ts';
import { smokeLicense } from './smoke-license.ts';
import { soakPersist } from './soak-persist.ts';
import { sonnetAnth } from './sonnet-anth.ts';
import { timeouts } from './timeouts.ts';
import { verifySse } from './verify-sse.ts';

/** All suites, in the order of `ccp-uat list`. */
export const SUITES: readonly Suite[] = [
  reproGoQuick,
  reproGo,
  verifySse,
  smokeLicense,
  quota,
  timeouts,
  soakPersist,
  probeLimits,
  overnight,
  longrun,
  parallel,
  crowd,
  crowdWaves,
  haikuZai,
  sonnetAnth,
  haikuSonnet,
];
