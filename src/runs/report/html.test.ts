import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { html, page } from './html.ts';

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

const read = (text: string): string =>
  text.replaceAll(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ENTITIES[name] ?? '');

/** Text that is likely to break out of something. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.constantFrom('<', '>', '"', "'", '&', '</script>', '-->', ']]>', '{{', '\u202e', '\0', 'x'))
    .map((parts) => parts.join('')),
);

describe('a template', () => {
  it('escapes whatever is put in, so that it reads as it was', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const written = html`${text}`.toString();
        expect(written).not.toMatch(/[<>"']/);
        expect(written).not.toMatch(/(?![\t\n])[\p{Cc}\p{Cf}]/u);
        const visible = text.replaceAll(/(?![\t\n])[\p{Cc}\p{Cf}\ufffe\uffff]/gu, '\ufffd').toWellFormed();
        expect(read(written)).toBe(visible);
      }),
    );
  });

  it('nests, takes arrays and figures, and leaves out what is not there', () => {
    const items = ['a', '<b>'].map((item) => html`<li>${item}</li>`);
    const list = html`<ul>${items}</ul>${null}${undefined}${false}${0}${[1, ['&']]}`;
    expect(list.toString()).toBe('<ul><li>a</li><li>&lt;b&gt;</li></ul>01&amp;');
  });
});

describe('a page', () => {
  const style = 'a > b { content: "<"; }';

  it('names its one style sheet by its hash and allows nothing else', () => {
    const text = page({ title: 'x', style, body: html`<p>y</p>` });
    const hash = createHash('sha256').update(style).digest('base64');
    expect(text).toContain(`<style>${style}</style>`);
    expect(read(text)).toContain(
      `content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'"`,
    );
  });

  it('keeps title and body what they are, whatever they say', () => {
    fc.assert(
      fc.property(hostile, (title) => {
        const tags = page({ title, style, body: html`<p>${title}</p>` }).match(/<[^>]*>/g);
        expect(tags).toEqual(page({ title: 'x', style, body: html`<p>x</p>` }).match(/<[^>]*>/g));
      }),
    );
  });

  it('refuses a style sheet that would end its own element', () => {
    expect(() => page({ title: 'x', style: 'a {} </style>', body: html`` })).toThrow(RangeError);
  });
});
