/** Requests as bytes. */

/** The bytes of a messages request with a JSON body; further header lines come first. */
export function messagesRequest(
  body: Buffer | object,
  headers: readonly string[] = [],
  target = '/v1/messages',
): Buffer {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  const lines = [
    `POST ${target} HTTP/1.1`,
    'host: 127.0.0.1',
    ...headers,
    'content-type: application/json',
    `content-length: ${bytes.length}`,
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]);
}

const SONNET = { model: 'claude-sonnet-5', messages: [] };
const HAIKU = { ...SONNET, model: 'claude-haiku-4-5' };

export const SONNET_REQUEST: Buffer = messagesRequest(SONNET);
export const SONNET_STREAM_REQUEST: Buffer = messagesRequest({ ...SONNET, stream: true });
export const HAIKU_REQUEST: Buffer = messagesRequest(HAIKU);
export const HAIKU_STREAM_REQUEST: Buffer = messagesRequest({ ...HAIKU, stream: true });
