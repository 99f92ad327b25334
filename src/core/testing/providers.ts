/** Providers for tests of pure rules. */
import type { HeaderMode } from '../../protocol/usage-event.ts';
import type { Provider } from '../types.ts';

export const ANTH: Provider = {
  id: 'anth',
  lane: 'anthropic',
  origin: 'https://anthropic.test',
  basePath: '',
  auth: { kind: 'client' },
  dropHeaders: [],
  rewriteModel: new Map(),
  h2: true,
  feature: null,
  fallback: [],
};

/** A provider with a key of its own. */
export function keyed(headerMode: HeaderMode = 'x-api-key', changes: Partial<Provider> = {}): Provider {
  return {
    ...ANTH,
    id: 'zai',
    lane: 'zai',
    auth: { kind: 'key', headerMode, env: 'ZAI_API_KEY', key: 'made-up' },
    fallback: ['anth'],
    ...changes,
  };
}
