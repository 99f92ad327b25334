/** Settings that both programs have. */
import { credential, path } from './kinds.ts';
import { setting } from './setting.ts';

export const logsDir = setting(path, {
  env: ['CCP_LOGS_DIR'],
  default: 'logs',
  help: 'Folder of usage.jsonl, anomalies.jsonl and the partials.',
});

export const resultsDir = setting(path, {
  env: ['CCP_RESULTS_DIR'],
  default: 'results',
  help: 'Folder of the runs, their summaries, and the rollups of "ccp db merge".',
});

export const zaiApiKey = setting(credential, {
  env: ['ZAI_API_KEY'],
  help: 'The Z.AI credential.',
});
