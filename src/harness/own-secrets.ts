/** Secrets that nobody of the run made up: planted as soon as they are there, to be searched for and redacted like the rest. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Canaries } from './types/world.ts';

/** The signatures in a licence's text, alone or in a pack: 64 bytes in base64. */
export function signaturesIn(text: string): readonly string[] {
  return text.replaceAll(String.raw`\/`, '/').match(/[A-Za-z0-9+/]{86}==/g) ?? [];
}

/** Plants the signatures of settings that hold a licence, or name a file that does. */
export async function plantSignatures(
  settings: Readonly<Record<string, string>>,
  canaries: Pick<Canaries, 'add'>,
): Promise<void> {
  for (const [name, value] of Object.entries(settings)) {
    // What cannot be read is its own text: a signature, say.
    const texts = [value, await readFile(value, 'utf8').catch(() => '')];
    for (const signature of texts.flatMap(signaturesIn)) canaries.add(`signature:${name}`, signature);
  }
}

/** Plants what a target keeps below `home`: its tokens, and the signature of the licence that is stored. */
export async function plantOwnSecrets(home: string, canaries: Pick<Canaries, 'add' | 'all'>): Promise<void> {
  const entries = await readdir(home, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const { name, parentPath } of entries) {
    if (!/\.(token|pack)$/.test(name)) continue;
    const text = await readFile(path.join(parentPath, name), 'utf8');
    const secrets = name.endsWith('.pack') ? signaturesIn(text) : [text.trim()];
    const known = new Set(canaries.all().map(({ value }) => value));
    for (const secret of secrets) if (secret !== '' && !known.has(secret)) canaries.add(name, secret);
  }
}
