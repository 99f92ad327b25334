/**
 * Finds the events of an event stream in its bytes, as the WHATWG specification frames them (sections 9.2.5
 * and 9.2.6: lines end in LF, CR or CRLF, and in nothing else), and decodes only what is asked for. Decoding
 * and parsing every event costs four times as much.
 */
import { createByteStore } from './byte-store.ts';

export interface SseScanOptions {
  /** Event names that are expected, the most frequent first. */
  readonly names: SseNames;
  /** How long a line, and the `data:` lines of an event together, may be. */
  readonly maxEventBytes: number;
  /**
   * One event. `name` is that of its `event:` line, null where it has none; `data()` decodes its data, and
   * may be called during the call only. Not for the first of `names`: the data of those is not kept.
   */
  readonly onEvent: (name: string | null, data: () => string) => void;
  /** An event is larger than allowed; the scanner reads no further. */
  readonly onOversize: () => void;
}

/** Names with their bytes, so that a name is told apart without decoding it. */
export type SseNames = readonly { readonly name: string; readonly bytes: Buffer }[];

export interface SseScanner {
  /** The next bytes of the stream, cut anywhere. An event of theirs may be kept until the next call. */
  feed(piece: Buffer): void;
}

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;
const DATA = Buffer.from('data');
const EVENT = Buffer.from('event');
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

const notKept = (): string => '';

/** Prepares names once for all scanners. */
export function encodeNames(names: readonly string[]): SseNames {
  return names.map((name) => ({ name, bytes: Buffer.from(name) }));
}

/** A scanner for one stream, from its first byte. */
export function createSseScanner({ names, maxEventBytes, onEvent, onOversize }: SseScanOptions): SseScanner {
  /** The beginning of a line whose end has not arrived. */
  const unfinished = createByteStore();
  /** The last `data:` line of the event, undecoded, as nearly every event has but one. */
  let line: Buffer | null = null;
  let lineStart = 0;
  let lineEnd = 0;
  /** The lines before it, each with its newline. */
  let earlier = '';
  let name: string | null = null;
  let dataBytes = 0;
  let firstLine = true;
  let afterCr = false;
  let stopped = false;
  const frequentName = names[0]?.name ?? '';
  const frequent = `event: ${frequentName}\ndata: `;

  const data = (): string => earlier + (line === null ? '' : line.toString('utf8', lineStart, lineEnd));

  const readName = (buffer: Buffer, start: number, end: number): string | null => {
    for (const { name: candidate, bytes } of names) {
      if (bytes.length === end - start && startsWith(buffer, start, bytes)) return candidate;
    }
    return start === end ? null : buffer.toString('utf8', start, end);
  };

  const takeLine = (buffer: Buffer, from: number, end: number): void => {
    const start =
      firstLine && startsWith(buffer, from, BYTE_ORDER_MARK) ? from + BYTE_ORDER_MARK.length : from;
    firstLine = false;
    if (start === end) {
      if (line !== null) onEvent(name, data);
      forget();
      return;
    }
    if (dataBytes + end - start > maxEventBytes) return stop();
    const dataStart = valueStart(buffer, start, end, DATA);
    if (dataStart !== -1) {
      if (line !== null) earlier = `${data()}\n`;
      line = buffer;
      lineStart = dataStart;
      lineEnd = end;
      dataBytes += end - start;
      return;
    }
    const nameStart = valueStart(buffer, start, end, EVENT);
    if (nameStart !== -1) name = readName(buffer, nameStart, end);
  };

  const forget = (): void => {
    line = null;
    earlier = '';
    name = null;
    dataBytes = 0;
  };

  const stop = (): void => {
    stopped = true;
    forget();
    unfinished.take();
    onOversize();
  };

  /**
   * Steps over the run of events that starts at `from`, each whole, in LF framing and of the most frequent
   * form: they are nearly all of a stream, and a look at each of their lines is what a scan costs. Gives the
   * offset behind the last one.
   */
  const skipFrequent = (text: string, from: number): number => {
    let at = from;
    while (text.startsWith(frequent, at)) {
      const end = text.indexOf('\n', at + frequent.length);
      if (end === -1 || text.charCodeAt(end + 1) !== LF) break;
      onEvent(frequentName, notKept);
      at = end + 2;
    }
    return at;
  };

  const endLine = (piece: Buffer, start: number, end: number): void => {
    if (unfinished.length() === 0) return takeLine(piece, start, end);
    unfinished.append(piece, start, end);
    const whole = unfinished.take();
    takeLine(whole, 0, whole.length);
  };

  return {
    feed(piece) {
      if (stopped || piece.length === 0) return;
      let at = afterCr && piece[0] === LF ? 1 : 0;
      afterCr = false;
      let cr = find(piece, CR, at);
      let lf = find(piece, LF, at);
      // String.indexOf crosses into native code for a third of what Buffer.indexOf takes.
      const text = cr === piece.length ? piece.toString('latin1') : '';
      while (at < piece.length) {
        if (text !== '' && line === null && name === null && !firstLine && unfinished.length() === 0) {
          at = skipFrequent(text, at);
          if (at === piece.length) return;
          if (lf < at) lf = find(piece, LF, at);
        }
        const end = Math.min(cr, lf);
        if (end === piece.length) break;
        endLine(piece, at, end);
        if (stopped) return;
        at = end + 1;
        if (end === cr) {
          if (at === piece.length) afterCr = true;
          else if (piece[at] === LF) at++;
          cr = find(piece, CR, at);
        }
        if (lf < at) lf = piece[at] === LF ? at : find(piece, LF, at);
      }
      if (dataBytes + unfinished.length() + piece.length - at > maxEventBytes) return stop();
      if (at < piece.length) unfinished.append(piece, at, piece.length);
    },
  };
}

function find(piece: Buffer, byte: number, from: number): number {
  const at = piece.indexOf(byte, from);
  return at === -1 ? piece.length : at;
}

function startsWith(buffer: Buffer, start: number, bytes: Buffer): boolean {
  for (let i = 0; i < bytes.length; i++) if (buffer[start + i] !== bytes[i]) return false;
  return true;
}

/** Where the value of a line begins whose field is `field`, behind one optional space; -1 for another field. */
function valueStart(buffer: Buffer, start: number, end: number, field: Buffer): number {
  const colon = start + field.length;
  if (colon > end || !startsWith(buffer, start, field)) return -1;
  if (colon === end) return end;
  if (buffer[colon] !== COLON) return -1;
  return colon + 1 < end && buffer[colon + 1] === SPACE ? colon + 2 : colon + 1;
}
