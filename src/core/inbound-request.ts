/** What the head of a client's request says, before its body is read. */
import type { IncomingMessage } from 'node:http';

/** Only messages and token counts are buffered: to read the model, and to be able to try again. */
export function bufferedOp(method: string | undefined, path: string): 'messages' | 'count_tokens' | null {
  if (method !== 'POST') return null;
  if (path === '/v1/messages') return 'messages';
  return path === '/v1/messages/count_tokens' ? 'count_tokens' : null;
}

/** The bytes that `content-length` promises. Node has refused a request where it is no number. */
export function announcedLength(request: IncomingMessage): number | undefined {
  const value = request.headers['content-length'];
  return value === undefined ? undefined : Number(value);
}

/** A request target without its query string; of an absolute one, which may name a password, nothing. */
export function pathOf(target: string): string {
  if (!target.startsWith('/')) return '';
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}
