/** The world outside a run, as far as its clients may look: opened for those that look there, else never. */
import { writeFile } from 'node:fs/promises';
import type { OutsideAttempt } from '../protocol/witness.ts';
import type { OutsideAccess } from './types/client.ts';
import { type Elsewhere, startElsewhere } from './upstream/elsewhere.ts';

export interface Outside extends AsyncDisposable {
  /** Begins to open it, for somebody who will soon ask for access. */
  prepare(): void;
  /** From now on somebody is watched. */
  access(): Promise<OutsideAccess>;
  /** Null where nobody was watched. */
  attempts(): readonly OutsideAttempt[] | null;
}

/** `caFile` (absolute) is written once it is opened. */
export function createOutside(caFile: string): Outside {
  let opening: Promise<Elsewhere> | undefined;
  let watched: Elsewhere | undefined;
  const open = (): Promise<Elsewhere> => (opening ??= startElsewhere());
  return {
    prepare() {
      // Whoever asks for access is told what went wrong.
      open().catch(() => {});
    },
    async access() {
      const elsewhere = await open();
      if (watched === undefined) await writeFile(caFile, elsewhere.certPem);
      watched = elsewhere;
      return { proxyUrl: elsewhere.url, caFile };
    },
    attempts: () => watched?.attempts() ?? null,
    async [Symbol.asyncDispose]() {
      await (await opening?.catch(() => undefined))?.[Symbol.asyncDispose]();
    },
  };
}
