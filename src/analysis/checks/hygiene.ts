import type { HeaderPairs, Transcript } from '../../protocol/transcript.ts';
import type { Check, Violation } from '../check.ts';
import { pointerTo } from '../check-kit.ts';
import type { Artifact, Evidence, OutsideAttempt } from '../evidence.ts';
import { createCanarySearch, findCanaries, findCredentialShapes, type HygieneHit } from '../hygiene.ts';
import { decodedBody } from '../oracle/answer.ts';
import { plural } from '../plural.ts';
import { bytesOf } from '../wire.ts';

const noCanaryAstray: Check = {
  id: 'HYGIENE-01',
  title: 'No canary outside the places where it may appear',
  // Control: a search that finds no canary even where it belongs proves nothing.
  least: 1,
  judge(evidence) {
    const wire = wirePlaces(evidence);
    const places = [...evidence.artifacts, ...wire];
    const { astray, atHome } = createCanarySearch(evidence.canaries)(places);
    return {
      observed: atHome.size,
      violations: astray.map((hit) => violationOf(hit, messageAt(hit, wire))),
      note: `${evidence.canaries.length} canaries searched in ${places.length} places, ${atHome.size} found where they belong`,
    };
  },
};

const noCredentialShape: Check = {
  id: 'HYGIENE-02',
  title: 'Nothing in any artifact has the shape of a credential',
  least: 1,
  judge({ artifacts }) {
    // On the wire credentials are at home; which of them and where is HYGIENE-01's to judge.
    const searched = artifacts.filter(({ place }) => !place.startsWith('wire:'));
    return {
      observed: searched.length,
      violations: findCredentialShapes(searched).map((hit) => violationOf(hit)),
    };
  },
};

/** Whom Claude Code asks about a stored login and for a new token, past every base URL (measured, 2.1.197). */
const ITS_MAKER: ReadonlySet<string> = new Set(['api.anthropic.com', 'platform.claude.com']);

const nobodyElseAsked: Check = {
  id: 'HYGIENE-03',
  title: 'Past its base URL Claude Code turned to its maker alone, with its own login and no more',
  // Control: a stored login always asks about itself, so a watch that saw nothing proves nothing.
  least: 1,
  judge({ elsewhere, canaries }) {
    if (elsewhere === null)
      return { observed: 0, violations: [], skipped: 'no Claude Code with a stored login was run' };
    const read = elsewhere.filter(({ request }) => request !== undefined);
    const strangers = elsewhere.filter(({ host }) => !ITS_MAKER.has(host));
    return {
      observed: elsewhere.length,
      violations: [
        ...strangers.map(strangerAsked),
        ...findCanaries(canaries, read.map(attemptPlace)).map((hit) => violationOf(hit)),
      ],
      note: `asked: ${[...new Set(elsewhere.map(({ host }) => host))].join(', ') || 'nobody'}; ${plural(read.length, 'request')} read`,
    };
  },
};

function strangerAsked({ host, request }: OutsideAttempt): Violation {
  const what = request === undefined ? 'a handshake' : request.method;
  return { what: `${what} went out to ${host}`, pointers: ['witness/elsewhere.jsonl'] };
}

const attemptPlace = ({ host, request }: OutsideAttempt): Artifact => ({
  place: `elsewhere:${host}`,
  text:
    request === undefined
      ? ''
      : messageText(`${request.method} ${request.url}`, request.headers, Buffer.from(request.body)),
});

/** `where`: by default the line of the place. */
function violationOf({ rule, place, line, count, form }: HygieneHit, where = `${place}:${line}`): Violation {
  const disguise = form === undefined ? '' : ` (${form})`;
  return {
    what: `${rule}${disguise} found ${plural(count, 'time')} in ${place}`,
    pointers: [where],
  };
}

interface WirePlace extends Artifact {
  /** What the text is made of, in order, each from a line of its own on. */
  readonly messages: readonly { readonly pointer: string; readonly text: string }[];
}

/** The wire as places to search: `wire:client:request`, `wire:anth:response`, … one text each. */
function wirePlaces({ client, upstream }: Evidence): WirePlace[] {
  const byParty = Map.groupBy([...client, ...upstream], ({ side, observer }) =>
    side === 'client' ? 'client' : observer,
  );
  const wirePlace = (
    place: string,
    group: readonly Transcript[],
    textOf: (transcript: Transcript) => string,
  ): WirePlace => {
    const messages = group.map((one) => ({ pointer: pointerTo(one), text: textOf(one) }));
    return { place, text: messages.map(({ text }) => text).join('\n'), messages };
  };
  return [...byParty].flatMap(([party, group]) => [
    wirePlace(`wire:${party}:request`, group, requestText),
    wirePlace(`wire:${party}:response`, group, responseText),
  ]);
}

/** The exchange that a hit on the wire is in: nobody has the text that the line is one of. Undefined elsewhere. */
function messageAt({ place, line }: HygieneHit, wire: readonly WirePlace[]): string | undefined {
  const { messages = [] } = wire.find((one) => one.place === place) ?? {};
  let end = 0;
  return messages.find(({ text }) => {
    end += text.split('\n').length;
    return line <= end;
  })?.pointer;
}

const requestText = ({ request }: Transcript): string =>
  messageText(`${request.method} ${request.target}`, request.headers, bytesOf(request.body));

const responseText = (transcript: Transcript): string =>
  messageText(
    String(transcript.response?.status),
    transcript.response?.headers ?? [],
    decodedBody(transcript),
  );

function messageText(firstLine: string, headers: HeaderPairs, body: Buffer | null): string {
  const head = [firstLine, ...headers.map(([name, value]) => `${name}: ${value}`)].join('\n');
  return `${head}\n\n${body?.toString('utf8') ?? ''}`;
}

export const HYGIENE_CHECKS: readonly Check[] = [noCanaryAstray, noCredentialShape, nobodyElseAsked];
