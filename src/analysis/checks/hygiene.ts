import type { Transcript } from '../../protocol/transcript.ts';
import type { Check, Violation } from '../check.ts';
import type { Artifact, Canary, Evidence } from '../evidence.ts';
import { findCanaries, findCredentialShapes, type HygieneHit, matchesPlace } from '../hygiene.ts';
import { decodedBody } from '../oracle/answer.ts';
import { bytesOf } from '../wire.ts';

const noCanaryAstray: Check = {
  id: 'HYGIENE-01',
  title: 'No canary outside the places where it may appear',
  // Control: a search that finds no canary even where it belongs proves nothing.
  least: 1,
  judge(evidence) {
    const places = [...evidence.artifacts, ...wirePlaces(evidence)];
    const atHome = evidence.canaries.filter((canary) => isFoundAtHome(canary, places));
    return {
      observed: atHome.length,
      violations: findCanaries(evidence.canaries, places).map(violationOf),
      note: `${evidence.canaries.length} canaries searched in ${places.length} places, ${atHome.length} found where they belong`,
    };
  },
};

function isFoundAtHome({ value, allowed }: Canary, places: readonly Artifact[]): boolean {
  return places.some(
    ({ place, text }) => allowed.some((one) => matchesPlace(one, place)) && text.includes(value),
  );
}

const noCredentialShape: Check = {
  id: 'HYGIENE-02',
  title: 'Nothing in any artifact has the shape of a credential',
  least: 1,
  judge({ artifacts }) {
    // On the wire credentials are at home; which of them and where is HYGIENE-01's to judge.
    const searched = artifacts.filter(({ place }) => !place.startsWith('wire:'));
    return { observed: searched.length, violations: findCredentialShapes(searched).map(violationOf) };
  },
};

function violationOf({ rule, place, line, count, form }: HygieneHit): Violation {
  const disguise = form === undefined ? '' : ` (${form})`;
  return { what: `${rule}${disguise} found ${count} times in ${place}`, pointers: [`${place}:${line}`] };
}

/** The wire as places to search: `wire:client:request`, `wire:anth:response`, … one text each. */
function wirePlaces({ client, upstream }: Evidence): Artifact[] {
  const texts = new Map<string, string[]>();
  for (const transcript of [...client, ...upstream]) {
    const party = transcript.side === 'client' ? 'client' : transcript.observer;
    for (const [part, text] of Object.entries(textsOf(transcript))) {
      const place = `wire:${party}:${part}`;
      texts.set(place, [...(texts.get(place) ?? []), text]);
    }
  }
  return [...texts].map(([place, parts]) => ({ place, text: parts.join('\n') }));
}

function textsOf(transcript: Transcript): Record<'request' | 'response', string> {
  const { request, response } = transcript;
  const head = (first: string, headers: Transcript['request']['headers'] = []) =>
    [first, ...headers.map(([name, value]) => `${name}: ${value}`)].join('\n');
  return {
    request: `${head(`${request.method} ${request.target}`, request.headers)}\n\n${bytesOf(request.body)?.toString('utf8') ?? ''}`,
    response: `${head(String(response?.status ?? ''), response?.headers)}\n\n${decodedBody(transcript)?.toString('utf8') ?? ''}`,
  };
}

export const HYGIENE_CHECKS: readonly Check[] = [noCanaryAstray, noCredentialShape];
