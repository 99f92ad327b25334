/** Which scenario a request gets: a queued play, then its own marker, then the provider's default. */
import type { RequestFacts } from './facts.ts';
import type { DefaultRule, Provider } from './provider.ts';

export interface QueuedPlay {
  readonly name: string;
  /** How often it is still to be played. */
  left: number;
  readonly when: (facts: RequestFacts) => boolean;
}

/** Returns the name and takes the play from the queue where it came from there. */
export function chooseScenario({
  facts,
  queue,
  provider,
  exists,
}: {
  readonly facts: RequestFacts;
  readonly queue: QueuedPlay[];
  readonly provider: Provider;
  readonly exists: (name: string) => boolean;
}): string {
  const queued = takePlay(facts, queue);
  if (queued !== undefined) return queued;
  const marker = isMessage(facts, provider) ? facts.marker() : null;
  if (marker !== null) return exists(marker) ? marker : provider.unknown;
  return defaultFor(facts, provider);
}

/** Messages of the model are what a scenario is about; probes and model lists keep their usual answers. */
export function isMessage(facts: RequestFacts, provider: Provider): boolean {
  return facts.method === 'POST' && facts.path === provider.base_path + provider.messages_path;
}

function takePlay(facts: RequestFacts, queue: QueuedPlay[]): string | undefined {
  const index = queue.findIndex((play) => play.when(facts));
  const play = queue[index];
  if (play === undefined) return undefined;
  play.left -= 1;
  if (play.left <= 0) queue.splice(index, 1);
  return play.name;
}

function defaultFor(facts: RequestFacts, provider: Provider): string {
  const rule = provider.defaults.find((candidate) => fits(candidate, facts, provider));
  // The schema demands a last rule that fits all.
  if (rule === undefined) throw new Error(`no default answer for ${facts.method} ${facts.path}`);
  return rule.play;
}

function fits(rule: DefaultRule, facts: RequestFacts, provider: Provider): boolean {
  if (rule.method !== undefined && rule.method !== facts.method) return false;
  if (rule.credential === 'none' && hasCredential(facts)) return false;
  if (rule.path === undefined) return true;
  const path = (rule.outside ? '' : provider.base_path) + rule.path;
  return path.endsWith('*') ? facts.path.startsWith(path.slice(0, -1)) : facts.path === path;
}

function hasCredential(facts: RequestFacts): boolean {
  return facts.header('x-api-key') !== undefined || facts.header('authorization') !== undefined;
}

/** The model that the answer will name. */
export function servedModel(asked: string | null, provider: Provider): string {
  const name = asked ?? '';
  const [, served] = provider.served_models.find(([glob]) => matchesGlob(name, glob)) ?? [];
  return served ?? name;
}

/** `*` stands for anything, everything else for itself. */
function matchesGlob(name: string, glob: string): boolean {
  const parts = glob.split('*').map((part) => part.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}
