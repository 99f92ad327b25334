/**
 * The body of one whole HTTP/1.1 answer, chunks joined. For checking, not for speed; throws on framing that
 * no client would accept.
 */
export function decodeAnswer(answer: Buffer): Buffer {
  const end = answer.indexOf('\r\n\r\n');
  if (end < 0) throw new Error('an answer without an end of its head');
  const body = answer.subarray(end + 4);
  return /\r\ntransfer-encoding: *chunked/i.test(answer.toString('latin1', 0, end)) ? joinChunks(body) : body;
}

function joinChunks(body: Buffer): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = body.indexOf('\r\n', at);
    const size = lineEnd < 0 ? Number.NaN : Number.parseInt(body.toString('latin1', at, lineEnd), 16);
    if (Number.isNaN(size)) throw new Error(`a chunk without a size at byte ${at}`);
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(body.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}
