/** Reads HTTP/1.1 messages as they stand on the wire: nothing is normalised, every byte is accounted for. */

/** A message that is arriving; it grows until it is whole. */
export interface Message {
  /** `POST /v1/messages HTTP/1.1` or `HTTP/1.1 200 OK`. */
  readonly startLine: string;
  /** Alternating names and values, in order and case of the wire. */
  readonly headers: readonly string[];
  /** The body so far, without its transfer coding. */
  body(): Buffer;
  readonly bytes: number;
  /** When each piece of the body came, in monotonic milliseconds. */
  readonly arrivals: readonly number[];
  /** Trailer lines as they stand there. */
  readonly trailers: string;
  /** Whether the body ended as its framing promised; a body that ends with the connection never does. */
  readonly whole: boolean;
}

export interface MessageReader {
  feed(bytes: Buffer): void;
}

export interface MessageReaderOptions {
  /** Called when a head is read; its body follows. */
  readonly onHead: (message: Message) => void;
  readonly onWhole?: (message: Message) => void;
  /** Answers to HEAD have no body, whatever their head promises. */
  readonly bodiless?: boolean;
}

type Expecting = 'head' | 'bytes' | 'size' | 'chunk' | 'chunk end' | 'trailers' | 'rest';

/** The first value of a header in a flat list; the name in lower case. */
export function valueOf(headers: readonly string[], name: string): string | undefined {
  const at = headers.findIndex((key, index) => index % 2 === 0 && key.toLowerCase() === name);
  return at < 0 ? undefined : headers[at + 1];
}

/** A flat list as `name: value` lines. */
export function linesOf(headers: readonly string[]): string[] {
  return headers.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${headers[index + 1]}`] : []));
}

export function createMessageReader({ onHead, onWhole, bodiless }: MessageReaderOptions): MessageReader {
  let pending: Buffer = Buffer.alloc(0);
  let expecting: Expecting = 'head';
  let wanted = 0;
  let message = startMessage('', []);

  const finish = (): void => {
    message.whole = true;
    expecting = 'head';
    onWhole?.(message);
  };

  /** The text up to the next `end`, which is taken too; null while it is not there. */
  const takeText = (end: string): string | null => {
    const at = pending.indexOf(end);
    if (at < 0) return null;
    const text = pending.toString('latin1', 0, at);
    pending = pending.subarray(at + end.length);
    return text;
  };

  const takeBytes = (): void => {
    const piece = pending.subarray(0, wanted);
    pending = pending.subarray(piece.length);
    wanted -= piece.length;
    message.add(piece);
  };

  const open = (head: string): void => {
    const [startLine = '', ...lines] = head.split('\r\n');
    message = startMessage(startLine, lines.flatMap(splitHeader));
    ({ expecting, wanted } = framing(message, bodiless === true));
    onHead(message);
    if (expecting === 'head') finish();
  };

  /** Takes one step; false where more bytes are needed. */
  const step = (): boolean => {
    if (expecting === 'bytes' || expecting === 'chunk' || expecting === 'rest') {
      if (pending.length === 0) return false;
      takeBytes();
      if (wanted > 0) return false;
      if (expecting === 'bytes') finish();
      else expecting = 'chunk end';
      return true;
    }
    const text = takeText(expecting === 'head' ? '\r\n\r\n' : '\r\n');
    if (text === null) return false;
    if (expecting === 'head') open(text);
    else if (expecting === 'chunk end') expecting = 'size';
    else if (expecting === 'size') {
      wanted = Number.parseInt(text, 16);
      expecting = wanted === 0 ? 'trailers' : 'chunk';
    } else if (text === '') finish();
    else message.trailers += `${text}\r\n`;
    return true;
  };

  return {
    feed(bytes) {
      pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
      while (step()) {}
    },
  };
}

function framing(
  { startLine, headers }: Message,
  bodiless: boolean,
): { expecting: Expecting; wanted: number } {
  const isAnswer = startLine.startsWith('HTTP/');
  const none = { expecting: 'head', wanted: 0 } as const;
  if (isAnswer && (bodiless || /^HTTP\/\S+ (?:1\d\d|204|304)/.test(startLine))) return none;
  if (/chunked/i.test(valueOf(headers, 'transfer-encoding') ?? '')) return { expecting: 'size', wanted: 0 };
  const length = valueOf(headers, 'content-length');
  if (length === undefined) return isAnswer ? { expecting: 'rest', wanted: Number.POSITIVE_INFINITY } : none;
  return length === '0' ? none : { expecting: 'bytes', wanted: Number(length) };
}

function splitHeader(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

interface GrowingMessage extends Message {
  trailers: string;
  whole: boolean;
  bytes: number;
  add(piece: Buffer): void;
}

function startMessage(startLine: string, headers: readonly string[]): GrowingMessage {
  const pieces: Buffer[] = [];
  const arrivals: number[] = [];
  const message: GrowingMessage = {
    startLine,
    headers,
    arrivals,
    bytes: 0,
    trailers: '',
    whole: false,
    body: () => Buffer.concat(pieces),
    add(piece) {
      pieces.push(piece);
      arrivals.push(performance.now());
      message.bytes += piece.length;
    },
  };
  return message;
}
