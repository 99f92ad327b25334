import { OperatorError } from '../../errors.ts';
import type { DeviceStart, Given, IssuerClient, LicenseText } from './issuer-client.ts';
import { licenseOrThrow, refusalError } from './refusal.ts';

export interface DeviceLoginPorts {
  /** Shows the person where to go and with which code. */
  readonly show: (start: DeviceStart) => Promise<void>;
  /** Tells the person that the issuer does not answer; once. */
  readonly away: () => void;
  /** Milliseconds; rejects where the login was broken off. */
  readonly sleep: (ms: number) => Promise<void>;
  /** Milliseconds of a clock that never jumps. */
  readonly monotonic: () => number;
}

/** RFC 8628 section 3.5: for this and all subsequent requests. */
const SLOWER_S = 5;
/** How long an issuer that does not answer is left alone at most. */
const LONGEST_BACK_OFF_S = 30;

/**
 * Gets a licence by the device flow: waits, at the pace that the issuer asks for, until a person approved. An issuer
 * that is away for a while is asked again, ever more rarely, and at its own pace once it answers. Throws
 * `CHECK_FAILED` where it was denied or nobody approved in time, and what the client throws at the start.
 */
export async function loginByDevice(
  client: IssuerClient,
  { show, away, sleep, monotonic }: DeviceLoginPorts,
): Promise<LicenseText> {
  const started = await client.startDevice();
  if (!started.ok) throw refusalError(started);
  const { device_code: deviceCode, expires_in } = started.value;
  const deadline = monotonic() + expires_in * 1000;
  await show(started.value);
  // Both in seconds: the pace, and what is waited at least before the next question.
  let { interval } = started.value;
  let pause = interval;
  let wasAway = false;
  for (;;) {
    await sleep(Math.min(pause * 1000, deadline - monotonic()));
    const given = await pollOrAway(client, deviceCode);
    if (given === 'away') {
      if (!wasAway) away();
      wasAway = true;
      pause = Math.max(interval, Math.min(LONGEST_BACK_OFF_S, Math.max(1, pause * 2)));
    } else {
      if (given.ok || !WAITING.has(given.error)) return licenseOrThrow(given);
      if (given.error === 'slow_down') interval += SLOWER_S;
      pause = Math.max(interval, given.retryAfter ?? 0);
    }
    if (monotonic() >= deadline) {
      throw new OperatorError('CHECK_FAILED', 'nobody approved the code in time', {
        hint: 'Run "ccp license login" again.',
      });
    }
  }
}

const WAITING: ReadonlySet<string> = new Set(['authorization_pending', 'slow_down', 'too_many_requests']);

async function pollOrAway(client: IssuerClient, deviceCode: string): Promise<Given<LicenseText> | 'away'> {
  try {
    return await client.pollDevice(deviceCode);
  } catch (error) {
    if (error instanceof OperatorError && error.code === 'NOT_READY') return 'away';
    throw error;
  }
}
