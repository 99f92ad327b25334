/** Text that nobody has vouched for yet, as it may be shown: on one line, in quotes, at most `most` characters of it. */
export const quoted = (text: string, most = 64): string =>
  `"${text.slice(0, most).replaceAll(/[\p{C}\p{Zl}\p{Zp}"]/gu, '?')}"`;
