/**
 * The request of a raw probe, byte for byte: the headers that Claude Code sends, in its order and case, and a
 * small body of the same shape.
 */
import type { ProbeRequest } from '../harness/types/client.ts';
import type { PlannedProbe } from './run-record.ts';

/** How the probe proves who it is; `anthropic` lane credentials only, as a client of the proxy has no others. */
export interface ClientCredential {
  readonly header: 'x-api-key' | 'authorization';
  readonly value: string;
}

/** `canary` marks the probe on the wire: in the prompt where there is one, and in the session id. */
export function rawRequest(
  probe: Omit<PlannedProbe, 'id' | 'client' | 'lane' | 'login'>,
  credential: ClientCredential,
  canary: string,
): Omit<ProbeRequest, 'timeoutMs'> {
  const endpoint = ENDPOINTS[probe.op];
  const body = endpoint.body?.(probe, `${promptOf(probe)} ${canary}`);
  return {
    method: endpoint.method,
    target: endpoint.target,
    headers: [
      ['Accept', 'application/json'],
      ['User-Agent', 'ccp-uat (external, raw)'],
      ['X-Claude-Code-Session-Id', canary],
      ['anthropic-version', '2023-06-01'],
      ['anthropic-beta', BETAS],
      ['x-app', 'cli'],
      ['Accept-Encoding', probe.acceptEncoding ?? 'identity'],
      [credential.header, credential.value],
      ...(body === undefined
        ? []
        : ([
            ['Content-Type', 'application/json'],
            ['Content-Length', String(Buffer.byteLength(body))],
          ] as const)),
    ],
    ...(body !== undefined && { body }),
    ...(probe.leaveAfterBytes !== undefined && {
      leave: { how: 'reset', afterBytes: probe.leaveAfterBytes },
    }),
  };
}

/** A mock plays the scenario that it finds named in a prompt. */
export function promptOf({
  scenario,
  prompt = 'Say ok.',
}: Pick<PlannedProbe, 'scenario' | 'prompt'>): string {
  return typeof scenario === 'string' ? `${prompt} scenario=${scenario}` : prompt;
}

const BETAS = 'interleaved-thinking-2025-05-14,prompt-caching-scope-2026-01-05,claude-code-20250219';

interface Endpoint {
  readonly method: 'GET' | 'POST';
  readonly target: string;
  readonly body?: (probe: Asked, prompt: string) => string;
}

type Asked = Pick<PlannedProbe, 'model' | 'maxTokens'>;

const ENDPOINTS: Readonly<Record<PlannedProbe['op'], Endpoint>> = {
  stream: { method: 'POST', target: '/v1/messages?beta=true', body: message(true) },
  nonstream: { method: 'POST', target: '/v1/messages?beta=true', body: message(false) },
  count_tokens: {
    method: 'POST',
    target: '/v1/messages/count_tokens?beta=true',
    body: ({ model }, prompt) => write({ model, messages: conversation(prompt) }),
  },
  models: { method: 'GET', target: '/v1/models?limit=1000' },
};

function message(stream: boolean) {
  return ({ model, maxTokens = 64 }: Asked, prompt: string): string =>
    write({ model, messages: conversation(prompt), max_tokens: maxTokens, ...(stream && { stream }) });
}

const conversation = (prompt: string) => [{ role: 'user', content: prompt }];

/** Indented: whoever parses and writes the body again, instead of relaying its bytes, loses the white space. */
const write = (body: object): string => JSON.stringify(body, null, 1);
