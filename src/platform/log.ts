/** The program's own messages, for the person at the terminal or the service log: always standard error. */
export interface Log {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/**
 * Writes `prefix: message` lines to a sink, standard error by default. A message with a mark of its own, `[license] …`,
 * gets no prefix: scripts look for it at the start of a line (contract, 7). Further lines of a message are set in, and
 * control characters replaced: text from the wire forges no line and commands no terminal.
 */
export function createLog(
  prefix: string,
  write: (line: string) => void = (line) => void process.stderr.write(line),
): Log {
  const tell = (message: string): void => write(`${tamed(message)}\n`);
  return {
    info: (message) => tell(message.startsWith('[') ? message : `${prefix}: ${message}`),
    warn: (message) => tell(`${prefix}: warning: ${message}`),
    error: (message) => tell(`${prefix}: error: ${message}`),
  };
}

const tamed = (message: string): string =>
  message.replace(/[\p{Cc}\p{Cf}]/gu, (char) => (char === '\n' ? '\n  ' : '\u{fffd}'));
