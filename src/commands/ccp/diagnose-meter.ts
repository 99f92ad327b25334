/** What `ccp doctor` looks at of the meter: the store, quotas, prices. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { plural } from '../../analysis/plural.ts';
import type { LoadedCcp } from '../../config/ccp-settings.ts';
import { openPrices } from '../../config/open-prices.ts';
import {
  createSeenModels,
  forgottenOnRestart,
  idleOf,
  idleQuotas,
  KNOWN,
  keptDays,
  lookAtQuotas,
  WEEK_MS,
} from '../../config/open-quota.ts';
import { lookAtStore, modelsInStore } from '../../config/store-files.ts';
import { barredFolder } from '../shared/folders.ts';
import { attempt, type Finding } from './finding.ts';
import { lanesNow } from './lanes-now.ts';

export async function checkStore({ settings: { persist }, paths }: LoadedCcp): Promise<Finding> {
  if (!persist) return WITHOUT_STORE;
  if (!existsSync(paths.store)) return withoutFile(paths.store);
  const looked = await attempt(() => lookAtStore(paths.store));
  if (!looked.ok) return looked.finding;
  const { exchanges, checked } = looked.value;
  if (exchanges === null)
    return { level: 'ok', what: `no store yet in ${paths.store}, which is an empty file` };
  const unread = checked ? '' : '; "ccp db status --check" reads it for damage';
  return { level: 'ok', what: `store: ${plural(exchanges, 'exchange')} in ${paths.store}${unread}` };
}

function withoutFile(store: string): Finding {
  const barred = barredFolder(dirname(store));
  if (barred === null) return { level: 'ok', what: `no store yet at ${store}` };
  return {
    level: 'problem',
    what: `no store can be made at ${store}: ${barred} is no folder that can be written to`,
    remedy: 'Name a file in a folder that this user may write with CCP_DB_PATH.',
  };
}

const WITHOUT_STORE: Finding = {
  level: 'note',
  what: 'there is no store (CCP_PERSIST=0): usage counts nothing',
};

/** None is nothing to speak of: then nothing is capped. */
export async function checkQuotas(loaded: LoadedCcp): Promise<Finding[]> {
  const look = await attempt(() => lookAtQuotas(loaded));
  if (!look.ok) return [look.finding];
  const { file, definitions, ignored } = look.value;
  const notes = ignored.map((what): Finding => ({ level: 'note', what }));
  if (file === null) return notes;
  const { rerouteMode } = loaded.settings;
  const lanes = await lanesNow(loaded);
  const seen = await seenModels(loaded);
  const around = lanes && { ...KNOWN, lanes, seenOn: (lane: string) => seen.of(lane) };
  const remedy = `Correct it in ${file} if it is not what you meant; "ccp providers" shows the lanes and their routes.`;
  const doubts = definitions.flatMap((one): Finding[] => {
    if (around === null) return [];
    // A route may come with a policy pack; a lane only with a catalog.
    const level = idleOf(one, around) === 'no_lane' ? 'problem' : 'note';
    return idleQuotas([one], file, around).map((what) => ({ level, what, remedy }));
  });
  return [
    ...notes,
    { level: 'ok', what: `quotas: ${definitions.length} in ${file}, mode ${rerouteMode}` },
    ...doubts,
    ...forgottenOnRestart(definitions, file, keptDays(loaded)).map(
      (what): Finding => ({ level: 'note', what, remedy: KEEP_A_WEEK }),
    ),
  ];
}

const KEEP_A_WEEK =
  'Leave CCP_PERSIST at 1 and CCP_SAMPLE_TTL_DAYS at 7 or more, or know that a restart forgets.';

/** What the store knows of the last seven days; nothing of one that cannot be read, or is of an older schema. */
async function seenModels({ settings: { persist }, paths }: LoadedCcp) {
  const seen = createSeenModels();
  if (!persist || !existsSync(paths.store)) return seen;
  const looked = await attempt(() => modelsInStore(paths.store, Date.now() - WEEK_MS));
  if (looked.ok) for (const { lane, model } of looked.value) seen.saw(lane, model);
  return seen;
}

/** Says nothing where there are none of the operator's own. */
export async function checkPrices(loaded: LoadedCcp): Promise<Finding[]> {
  const looked = await attempt(() => openPrices(loaded));
  if (!looked.ok) return [looked.finding];
  const { file, strays, toCome } = looked.value;
  if (file === null) return [];
  const lanes = await lanesNow(loaded);
  return [
    { level: 'ok', what: `prices of your own in ${file}` },
    ...toCome(Date.now()).map((what): Finding => ({ level: 'note', what })),
    ...(lanes === null ? [] : strays(lanes.map(({ lane }) => lane))).map(
      (what): Finding => ({
        level: 'note',
        what,
        remedy: `Correct the lane in ${file}, unless it is one that there was before.`,
      }),
    ),
  ];
}
