/**
 * Finds the events of an event stream in its bytes, as the WHATWG specification frames them (section 9.2.6:
 * lines end in LF, CR or CRLF, and in nothing else), and decodes only what is asked for. Decoding and
 * parsing every event costs four times as much.
 */
import { createByteStore } from './byte-store.ts';

export interface SseScanOptions {
  /** Event names that are expected; compared as bytes, the most frequent first. */
  readonly names: readonly string[];
  /** The largest event that is looked at, in bytes of its lines without their ends. */
  readonly maxEventBytes: number;
  /**
   * One event. `name` is that of its `event:` line, null where it has none; `data()` decodes its data, and
   * may be called during the call only.
   */
  readonly onEvent: (name: string | null, data: () => string) => void;
  /** An event is larger than allowed; the scanner reads no further. */
  readonly onOversize: () => void;
}

export interface SseScanner {
  /** The next bytes of the stream, cut anywhere. An event of theirs may be kept until the next call. */
  feed(piece: Buffer): void;
}

/** Part of a buffer; three numbers less to allocate than a `subarray`. */
interface Slice {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
}

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;
const DATA = Buffer.from('data');
const EVENT = Buffer.from('event');
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

export function createSseScanner({ names, maxEventBytes, onEvent, onOversize }: SseScanOptions): SseScanner {
  const known = names.map((name) => ({ name, bytes: Buffer.from(name) }));
  /** The beginning of a line whose end has not arrived. */
  const unfinished = createByteStore();
  let lines: Slice[] = [];
  let name: string | null = null;
  let eventBytes = 0;
  let firstLine = true;
  let afterCr = false;
  let stopped = false;

  const data = (): string =>
    lines.map(({ buffer, start, end }) => buffer.toString('utf8', start, end)).join('\n');

  const readName = (buffer: Buffer, start: number, end: number): string | null => {
    for (const { name: candidate, bytes } of known) {
      if (bytes.length === end - start && startsWith(buffer, start, bytes)) return candidate;
    }
    return start === end ? null : buffer.toString('utf8', start, end);
  };

  const takeLine = (buffer: Buffer, from: number, end: number): void => {
    const start =
      firstLine && startsWith(buffer, from, BYTE_ORDER_MARK) ? from + BYTE_ORDER_MARK.length : from;
    firstLine = false;
    if (start === end) {
      if (lines.length > 0) onEvent(name, data);
      lines = [];
      name = null;
      eventBytes = 0;
      return;
    }
    eventBytes += end - start;
    if (eventBytes > maxEventBytes) return stop();
    const dataStart = valueStart(buffer, start, end, DATA);
    if (dataStart !== -1) {
      lines.push({ buffer, start: dataStart, end });
      return;
    }
    const nameStart = valueStart(buffer, start, end, EVENT);
    if (nameStart !== -1) name = readName(buffer, nameStart, end);
  };

  const stop = (): void => {
    stopped = true;
    lines = [];
    unfinished.take();
    onOversize();
  };

  const endLine = (piece: Buffer, start: number, end: number): void => {
    if (unfinished.length() === 0) return takeLine(piece, start, end);
    unfinished.append(piece, start, end);
    const line = unfinished.take();
    takeLine(line, 0, line.length);
  };

  return {
    feed(piece) {
      if (stopped || piece.length === 0) return;
      let at = afterCr && piece[0] === LF ? 1 : 0;
      afterCr = false;
      let cr = find(piece, CR, at);
      let lf = find(piece, LF, at);
      while (at < piece.length) {
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
      if (eventBytes + unfinished.length() + piece.length - at > maxEventBytes) return stop();
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
