/** Licences from loaded settings. */
import { examineText, type LicenseState } from '../features/license/store.ts';
import type { LoadedCcp } from './ccp-settings.ts';

export { storePack } from '../features/license/store.ts';

/** What a text would be worth as a licence at `now` (epoch milliseconds). */
export function examinePack({ settings }: LoadedCcp, text: string, now: number): LicenseState {
  return examineText(text, settings.licensePubkeys ?? '', now);
}
