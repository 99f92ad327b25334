/**
 * Breaks text at spaces into lines of at most `width`; a longer word gets a line of its own. Control characters,
 * which could command a terminal, are replaced: what is shown comes from the wire.
 */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text
    .replaceAll(/(?!\s)[\p{Cc}\p{Cf}]/gu, '\u{fffd}')
    .split(/\s+/)
    .filter((one) => one !== '')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length <= width || line === '') line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return line === '' ? lines : [...lines, line];
}

/** `text` wrapped behind `label`, further lines indented to the same column. */
export function hang(label: string, text: string, width: number): string[] {
  const indent = ' '.repeat(label.length);
  const lines = wrap(text, width - label.length);
  return (lines.length === 0 ? [''] : lines).map((line, index) =>
    `${index === 0 ? label : indent}${line}`.trimEnd(),
  );
}
