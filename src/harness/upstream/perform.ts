/** Plays a rendered scenario on a wire, piece by piece, until its end, its fault, or the client's leaving. */
import type { Clock } from '../../platform/clock.ts';
import type { Ending } from '../../protocol/transcript.ts';
import type { Recorder } from './recorder.ts';
import type { Piece, Rendered } from './render.ts';
import type { Fault, Scenario } from './scenario.ts';
import type { Head, Wire } from './wire.ts';

export interface Performance {
  readonly scenario: Scenario;
  readonly rendered: Rendered;
  readonly wire: Wire;
  readonly recorder: Recorder;
  readonly clock: Clock;
  /** Aborted when the mock is disposed of. */
  readonly closing: AbortSignal;
  /** HEAD: the head of the answer, without its body. */
  readonly headOnly: boolean;
}

/** Never throws on account of the client. */
export async function perform(performance: Performance): Promise<Ending> {
  const { scenario, rendered, wire, recorder, clock, closing, headOnly } = performance;
  const { delays } = scenario;
  const fault = faultOf(scenario, rendered);
  const stop = AbortSignal.any([wire.gone, closing]);
  const stopped = aborted(stop);
  const pause = (ms: number): Promise<void> => sleep(ms, clock, stop);
  const endedEarly = (): Ending => (wire.gone.aborted ? 'cut_by_peer' : 'ended_by_self');
  const send = async (pieces: readonly Piece[]): Promise<void> => {
    for (const [index, piece] of pieces.entries()) {
      if (stop.aborted) return;
      recorder.responsePiece(piece.bytes);
      await Promise.race([wire.write(piece.bytes), stopped]);
      // Pieces cut on purpose must leave as such; whole events may share a segment when there is no pace.
      if (scenario.pieces !== 'event') await Promise.race([wire.flushed(), stopped]);
      if (endsEvent(pieces, index)) await pause(delays.between_ms);
    }
  };

  await pause(delays.head_ms);
  if (stop.aborted) return endedEarly();
  const head = headOf(performance);
  if (fault?.at === 'before_head' && (await strike(fault, wire, stopped))) return endedEarly();
  if (fault?.at === 'mid_head') {
    await wire.partialHead(head);
    await strike(fault, wire, stopped);
    return endedEarly();
  }

  recorder.responseHead(head.status, wire.head(head));
  const [before, after] = headOnly ? [[], []] : splitAt(rendered.pieces, fault);
  if (before.length > 0) await pause(delays.body_ms);
  await send(before);
  if (stop.aborted) return endedEarly();
  if (fault !== undefined && typeof fault.at === 'object' && !headOnly) {
    if (await strike(fault, wire, stopped)) return endedEarly();
    if (fault.kind !== 'end') await send(after);
  }
  await Promise.race([wire.end(), stopped]);
  if (stop.aborted) return endedEarly();
  if (scenario.afterwards === 'close') wire.closeConnection();
  return 'complete';
}

function faultOf({ fault }: Scenario, { stream }: Rendered): Fault | undefined {
  const countsEvents = typeof fault?.at === 'object' && 'events' in fault.at;
  return countsEvents && !stream ? undefined : fault;
}

/** Whether that was the end of the exchange. */
async function strike(fault: Fault, wire: Wire, stopped: Promise<void>): Promise<boolean> {
  switch (fault.kind) {
    case 'end':
      return false;
    case 'hang':
      await stopped;
      return true;
    case 'close':
    case 'reset':
    case 'rst_stream':
    case 'malformed_chunk':
    case 'goaway':
      await Promise.race([wire.flushed(), stopped]);
      await Promise.race([wire.strike(fault), stopped]);
      return !(fault.kind === 'goaway' && fault.processed);
  }
}

function headOf({ scenario, rendered, clock }: Performance): Head {
  return {
    status: rendered.status,
    headers: rendered.headers,
    now: clock.now(),
    length: scenario.length ?? (rendered.stream ? 'chunked' : 'content-length'),
    bodyBytes: rendered.pieces.reduce((total, { bytes }) => total + bytes.length, 0),
  };
}

/** A pause belongs between events, however many pieces an event is cut into. */
function endsEvent(pieces: readonly Piece[], index: number): boolean {
  const [piece, next] = [pieces[index], pieces[index + 1]];
  if (piece === undefined || next === undefined) return false;
  const isStream = next.events > 0 || piece.events > 0;
  return !isStream || piece.events > (pieces[index - 1]?.events ?? 0);
}

/** What goes out before the fault strikes, and what would have come after. */
function splitAt(pieces: readonly Piece[], fault: Fault | undefined): [readonly Piece[], readonly Piece[]] {
  if (fault === undefined || typeof fault.at === 'string') return [pieces, []];
  if ('events' in fault.at) {
    const { events } = fault.at;
    const index = pieces.findIndex((piece) => piece.events > events);
    return index === -1 ? [pieces, []] : [pieces.slice(0, index), pieces.slice(index)];
  }
  let left = fault.at.bytes;
  const index = pieces.findIndex(({ bytes }) => {
    if (bytes.length > left) return true;
    left -= bytes.length;
    return false;
  });
  const torn = pieces[index];
  if (torn === undefined) return [pieces, []];
  return [
    [...pieces.slice(0, index), ...(left > 0 ? [{ ...torn, bytes: torn.bytes.subarray(0, left) }] : [])],
    [{ ...torn, bytes: torn.bytes.subarray(left) }, ...pieces.slice(index + 1)],
  ];
}

function sleep(ms: number, clock: Clock, stop: AbortSignal): Promise<void> {
  if (ms === 0 || stop.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      stop.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    stop.addEventListener('abort', done);
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
