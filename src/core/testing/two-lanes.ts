/** A world with both lanes scripted: `zai`, where haiku goes first, and `anth`, its fallback. */
import { connectClient } from './raw-client.ts';
import { type Call, type RawUpstream, startRawUpstream } from './raw-upstream.ts';
import { HAIKU_REQUEST } from './requests.ts';
import { startWorld, type World, type WorldOptions } from './world.ts';

export interface TwoLanes extends World {
  readonly zai: RawUpstream;
  readonly anth: RawUpstream;
}

export type Respond = (call: Call, index: number) => void;

export const JSON_TYPE = 'content-type: application/json';

/** A small message, as either lane would give it. */
export const MESSAGE = JSON.stringify({
  type: 'message',
  model: 'served',
  usage: { input_tokens: 3, output_tokens: 4 },
});

export const answerMessage: Respond = (call) => call.answer('200 OK', [JSON_TYPE], MESSAGE);

/** Starts both upstreams and the gateway; they end together. */
export async function startTwoLanes(
  respondZai: Respond,
  respondAnth: Respond = answerMessage,
  options: Omit<WorldOptions, 'anth' | 'zai'> = {},
): Promise<TwoLanes> {
  const stack = new AsyncDisposableStack();
  const zai = stack.use(await startRawUpstream(respondZai));
  const anth = stack.use(await startRawUpstream(respondAnth));
  const world = stack.use(await startWorld({ zai: zai.origin, anth: anth.origin, ...options }));
  return { ...world, zai, anth, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** An error of Z.AI as it has been since 2026. */
export function zaiError(code: string, type = 'rate_limit_error'): string {
  return JSON.stringify({ type: 'error', error: { type, code, message: `[${code}][something][2026]` } });
}

/** Answers with a status, e.g. `429 Too Many Requests`, and a JSON body. */
export const fails =
  (status: string, body: string, headers: readonly string[] = []): Respond =>
  (call) =>
    call.answer(status, [JSON_TYPE, ...headers], body);

/** Sends one request on a connection of its own; gives the whole answer. */
export async function ask(
  world: TwoLanes,
  request: Buffer = HAIKU_REQUEST,
): Promise<{ status: string; body: string }> {
  await using client = await connectClient(world.port);
  client.send(request);
  const answer = await client.answer();
  return { status: answer.startLine.slice('HTTP/1.1 '.length), body: answer.body().toString() };
}

/** Nothing may take over. */
export const NO_FALLBACK = { policy: { fallback: new Set<never>() } };
