/** A log is anybody's text: no control character of it may reach a terminal. */
export const printable = (text: string): string => text.replaceAll(/\p{Cc}/gu, '\uFFFD');
