/** Event types that the Messages API publishes, the most frequent first (platform.claude.com, "Streaming"). */
export const MESSAGE_EVENT_TYPES = [
  'content_block_delta',
  'ping',
  'content_block_start',
  'content_block_stop',
  'message_start',
  'message_delta',
  'message_stop',
  'error',
] as const;

export type MessageEventType = (typeof MESSAGE_EVENT_TYPES)[number];

const PUBLISHED: ReadonlySet<string> = new Set(MESSAGE_EVENT_TYPES);

export function isMessageEventType(name: string): name is MessageEventType {
  return PUBLISHED.has(name);
}
