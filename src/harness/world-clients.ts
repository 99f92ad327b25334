/** The clients of a world: each probe gets its canary, its home and its way in, and comes back as a result. */
import path from 'node:path';
import { OperatorError } from '../errors.ts';
import type { Transcript } from '../protocol/transcript.ts';
import type { ProbeResult } from '../protocol/witness.ts';
import { runClaude } from './clients/claude.ts';
import { curlLine } from './clients/curl-line.ts';
import { decodedBody } from './clients/decoded-body.ts';
import { sendProbe } from './clients/probe.ts';
import { makeHome } from './environment.ts';
import type { Outside } from './outside.ts';
import type { ClaudeCredentials, ClaudeLookup, ProbeAnswer } from './types/client.ts';
import type { Canaries, ClaudeProbe, ProviderId, RawProbe, World } from './types/world.ts';

export interface WorldClients extends Pick<World, 'claude' | 'runClaude' | 'runProbe'> {
  /** Of the raw probes; those of Claude Code are the relay's. */
  transcripts(): readonly Transcript[];
}

export interface ClientOptions {
  readonly canaries: Canaries;
  readonly claude: ClaudeLookup;
  /** Where Claude Code connects to. */
  readonly relayUrl: string;
  /** Where raw probes connect to: they keep their own record. */
  readonly entranceUrl: () => string;
  /** Homes of Claude Code go beneath. */
  readonly folder: string;
  /** What its `settings.json` holds, where something has put one there. */
  readonly claudeSettings?: Readonly<Record<string, unknown>> | undefined;
  readonly outside: Pick<Outside, 'access'>;
  readonly signal: AbortSignal | undefined;
}

export function createClients(options: ClientOptions): WorldClients {
  const transcripts: Transcript[] = [];
  const { canaries, claude, signal } = options;
  return {
    claude,
    transcripts: () => transcripts,
    async runClaude(probe) {
      if (!claude.found) throw new OperatorError('NOT_READY', `Claude Code was not found: ${claude.reason}`);
      const canary = plantPhrase(canaries, probe);
      const { stderr: _, ...run } = await runClaude({
        binary: claude.path,
        url: options.relayUrl,
        model: probe.model,
        prompt: `${probe.prompt ?? 'Say ok.'} ${canary}`,
        home: await makeHome(path.join(options.folder, probe.id)),
        credentials: await credentialsFor(probe, options),
        settings: options.claudeSettings,
        timeoutMs: probe.timeoutMs,
        signal,
      });
      return { ...identityOf(probe), client: 'claude', canary, ...run };
    },
    async runProbe(probe) {
      const canary = plantPhrase(canaries, probe);
      const entrance = options.entranceUrl();
      const request = withHost(probe.request(canary), entrance);
      const startedAt = Date.now();
      const answer = await sendProbe(entrance, {
        ...request,
        timeoutMs: probe.timeoutMs,
        ...(signal !== undefined && { signal }),
      });
      transcripts.push(answer.transcript);
      return {
        ...identityOf(probe),
        client: 'curl',
        canary,
        startedAt,
        ...outcomeOf(answer),
        reproduce: curlLine(request),
        answer,
      };
    },
  };
}

const identityOf = ({ id, model, expectedLane, expectedDecision }: ClaudeProbe | RawProbe) => ({
  id,
  model,
  expectedLane,
  ...(expectedDecision !== undefined && { expectedDecision }),
});

/** Haiku may be handed on to Anthropic where Z.AI fails; what is for Anthropic goes nowhere else. */
function plantPhrase(canaries: Canaries, { id, expectedLane, ...probe }: ClaudeProbe | RawProbe): string {
  const providers: readonly ProviderId[] = expectedLane === 'anthropic' ? ['anth'] : ['zai', 'anth'];
  const passed = 'mayPass' in probe ? (probe.mayPass ?? []) : [];
  return canaries.prompt(id, [...new Set([...providers, ...passed])]);
}

async function credentialsFor(
  { login }: ClaudeProbe,
  { canaries, outside }: ClientOptions,
): Promise<ClaudeCredentials> {
  if (login === 'key') return { kind: 'key', key: canaries.anthropicKey };
  const { anthropicOauth: token, anthropicRefresh: refreshToken } = canaries;
  return { kind: 'oauth', token, refreshToken, outside: await outside.access() };
}

/** The suite cannot know the port. */
function withHost(request: ReturnType<RawProbe['request']>, url: string): ReturnType<RawProbe['request']> {
  if (request.headers.some(([name]) => name.toLowerCase() === 'host')) return request;
  return { ...request, headers: [['Host', new URL(url).host], ...request.headers] };
}

/** As curl would put it: exit code 0 for a whole answer, and success for one below 400. */
function outcomeOf({
  transcript,
}: ProbeAnswer): Pick<ProbeResult, 'ms' | 'exitCode' | 'timedOut' | 'ok' | 'text'> {
  const { ending, response, endedMs } = transcript;
  const whole = ending === 'complete';
  return {
    ms: endedMs,
    exitCode: whole ? 0 : 1,
    timedOut: ending === 'timeout',
    ok: whole && response !== undefined && response.status < 400,
    text: readableBody(transcript),
  };
}

function readableBody(transcript: Transcript): string {
  try {
    return decodedBody(transcript).toString('utf8');
  } catch {
    return '';
  }
}
