/** Where a catalog says that keys are, whether or not it can be used otherwise. */
import { z } from 'zod';
import { readYaml } from './read-yaml.ts';

const catalogSchema = z.object({ providers: z.array(z.unknown()).catch([]) }).catch({ providers: [] });
const entrySchema = z.object({ auth: z.object({ env: z.string() }) });

/** The variables of all entries that name one. Throws `CONFIG` where the file is no YAML. */
export function keyVariablesIn(path: string, bytes: Uint8Array): string[] {
  const { providers } = catalogSchema.parse(readYaml(path, bytes).value);
  return providers.flatMap((entry) => {
    const { success, data } = entrySchema.safeParse(entry);
    return success ? [data.auth.env] : [];
  });
}
