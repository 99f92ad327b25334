/** The frame of every page: no script, no picture, one style sheet that the policy names by its hash. */
import { createHash } from 'node:crypto';
import { type Answer, COMMON_HEADERS } from '../http/visit.ts';
import { Html, html } from './html.ts';

const STYLE = `
:root { color-scheme: light dark; --text: #1c2024; --soft: #5b6470; --page: #f5f6f8; --card: #fff; --line: #8a94a0;
  --main: #0b5cad; --on-main: #fff; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --text: #e8eaed; --soft: #a8b0ba; --page: #14171a; --card: #1e2226;
  --line: #79838f; --main: #8fc1f5; --on-main: #0a1a2b; --bad: #ff9d94; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1rem; min-height: 100vh; display: grid; place-items: center; background: var(--page);
  color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 28rem; padding: 1.5rem; background: var(--card); border-radius: .75rem;
  box-shadow: 0 1px 4px rgb(0 0 0 / 25%); }
h1 { margin: 0 0 .5rem; font-size: 1.4rem; line-height: 1.25; }
p { margin: 0 0 1rem; }
label { display: block; margin-top: 1rem; font-weight: 600; }
span { display: block; }
.hint { color: var(--soft); font-size: .875rem; }
.bad { margin-top: .25rem; color: var(--bad); font-size: .9375rem; font-weight: 600; }
input { display: block; width: 100%; margin-top: .25rem; padding: .6rem .75rem; font: inherit; color: inherit;
  background: transparent; border: 1px solid var(--line); border-radius: .4rem; }
input[aria-invalid] { border: 2px solid var(--bad); }
.code { font-family: ui-monospace, monospace; letter-spacing: .08em; text-transform: uppercase; }
.buttons { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.5rem; }
button { flex: 1 1 8rem; min-height: 2.75rem; padding: .5rem 1rem; font: inherit; font-weight: 600; cursor: pointer;
  color: var(--main); background: transparent; border: 2px solid var(--main); border-radius: .4rem; }
button.main { color: var(--on-main); background: var(--main); }
:focus-visible { outline: 3px solid var(--main); outline-offset: 2px; }
`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

export interface Page {
  readonly status: number;
  readonly title: string;
  readonly content: Html;
  /** Where its form may lead, as sources of a Content Security Policy; redirects after it count too. */
  readonly formAction?: string;
  readonly headers?: Answer['headers'];
}

export function page({ status, title, content, formAction = "'none'", headers = {} }: Page): Answer {
  const policy = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action ${formAction}; base-uri 'none'; frame-ancestors 'none'`;
  const { text } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} – ccp</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`;
  return {
    status,
    headers: {
      ...COMMON_HEADERS,
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy,
      ...headers,
    },
    body: text,
  };
}

/** A page that only says something. */
export function notice(
  status: number,
  title: string,
  sentence: string,
  headers: Answer['headers'] = {},
): Answer {
  // An error is read out at once; anything else is what the person asked for.
  const content = status < 400 ? html`<p>${sentence}</p>` : html`<p role="alert">${sentence}</p>`;
  return page({ status, title, content, headers });
}
