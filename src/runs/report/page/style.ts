/** The one style sheet of a report. Contrast of text is at least 4.5 to 1 in both schemes, which a test computes. */
export const STYLE = `
:root { color-scheme: light dark;
  --text: #1b1f24; --soft: #57606a; --page: #fbfbfa; --card: #fff; --line: #d5dade; --strong-line: #8a939d; --shade: #f1f2f3;
  --link: #0b57a4; --pass: #17662f; --on-pass: #e3f3e7; --fail: #b1201b; --on-fail: #fcebea; --unsure: #7a4d00; --on-unsure: #fbf0d9;
  --skipped: #57606a; --on-skipped: #eceef0; --client: #0b57a4; --proxy: #7b3fa0; --upstream: #0f6b63; --third: #8a4b00; }
@media (prefers-color-scheme: dark) { :root {
  --text: #e6e8ea; --soft: #a6afb8; --page: #14171a; --card: #1b1f23; --line: #343b42; --strong-line: #6d7781; --shade: #22272c;
  --link: #8fc1f5; --pass: #7fd897; --on-pass: #17301f; --fail: #ff9d94; --on-fail: #3a1a18; --unsure: #f0c36b; --on-unsure: #352a12;
  --skipped: #a6afb8; --on-skipped: #262c32; --client: #8fc1f5; --proxy: #d3a6f0; --upstream: #72d3c6; --third: #f0b46b; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0 auto; padding: 0 1rem 4rem; max-width: 74rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
h1, h2, h3, p, ul, dl, figure, fieldset { margin: 0; }
h1 { font-size: 2rem; line-height: 1.15; letter-spacing: -.01em; }
h1 .suite { margin-left: .6rem; font-weight: 400; }
h2 { margin: 3rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); font-size: 1.3rem; line-height: 1.3; }
h2.small { margin: 1rem 0 .25rem; padding: 0; border: 0; font-size: .8125rem; font-weight: 600; color: var(--soft); }
h3 { margin: 1.5rem 0 .5rem; font-size: 1.05rem; }
.exchange h3 { margin: 1rem 0 .25rem; font-size: .875rem; }
a { color: var(--link); text-underline-offset: .15em; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 2px; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: .8125rem; }
pre { margin: .25rem 0 0; padding: .6rem .75rem; max-height: 16rem; overflow: auto; white-space: pre-wrap; background: var(--shade); border-radius: .3rem; }
small { font-size: .8125rem; color: var(--soft); }
.note, .meta { color: var(--soft); font-size: .875rem; }
.skip { position: absolute; left: 1rem; top: -4rem; padding: .5rem 1rem; background: var(--card); border: 2px solid var(--link); z-index: 2; }
.skip:focus { top: .5rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.taken { font: 600 .8125rem ui-monospace, Menlo, Consolas, monospace; color: var(--proxy); }
.none { color: var(--soft); }

.verdict { display: grid; grid-template-columns: auto 1fr; gap: 0 1.1rem; margin: 1.5rem 0 0; padding: 1.25rem 1.4rem; background: var(--card);
  border: 1px solid var(--line); border-left: .5rem solid var(--tone); border-radius: .4rem; }
.verdict h1, .verdict .sign { color: var(--tone); }
.verdict h1 .suite { color: var(--text); }
.verdict .sign { display: grid; place-items: center; width: 2.6rem; height: 2.6rem; border: 3px solid var(--tone); border-radius: 50%; font-size: 1.5rem; font-weight: 700; line-height: 1; }
.verdict .lead { margin-top: .3rem; }
.verdict .ending { margin-top: .5rem; }
.pass { --tone: var(--pass); --on-tone: var(--on-pass); } .fail { --tone: var(--fail); --on-tone: var(--on-fail); }
.inconclusive, .invalid { --tone: var(--unsure); --on-tone: var(--on-unsure); } .skipped { --tone: var(--skipped); --on-tone: var(--on-skipped); }
.claims { padding: 0; list-style: none; font-size: .9375rem; }
.claims li { padding-left: 1.4rem; text-indent: -1.4rem; }
.claims li::before { display: inline-block; width: 1.4rem; text-indent: 0; content: "✓"; color: var(--pass); font-weight: 700; }
.unshown { margin-top: .6rem; font-size: .9375rem; } .unshown summary { color: var(--soft); } .unshown .claims li::before { content: "✕"; color: var(--fail); }
.overview { margin: 0 0 1rem; padding: 0; list-style: none; }
.overview li { display: grid; grid-template-columns: 9rem 1fr; padding: .25rem 0; border-bottom: 1px solid var(--line); } .overview a { font-weight: 700; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; margin: .9rem 0 0; padding: 0; list-style: none; font-size: .9375rem; }
main:focus { outline: none; }
#wrong { margin-top: 1.25rem; }

.badge { display: inline-block; padding: .05rem .5rem; border-radius: .3rem; background: var(--on-tone); color: var(--tone); font-size: .8125rem; font-weight: 600; white-space: nowrap; }
.card { margin: .75rem 0; padding: .8rem 1.1rem .9rem; background: var(--card); border: 1px solid var(--line); border-left: .25rem solid var(--tone); border-radius: .3rem; }
.card h3 { margin: 0 0 .4rem; font-size: 1rem; font-weight: 500; color: var(--soft); }
.card h3 .id { margin: 0 .35rem; font-weight: 700; color: var(--text); }
.finding + .finding { margin-top: .7rem; padding-top: .7rem; border-top: 1px dashed var(--line); }
.what { font-weight: 600; }
.times { color: var(--soft); font-weight: 600; white-space: nowrap; }
.sights { display: flex; flex-wrap: wrap; gap: .35rem .5rem; margin: .35rem 0; }
.sights div { padding: .2rem .6rem; background: var(--shade); border-radius: .3rem; max-width: 100%; }
.sights dt { font-size: .75rem; color: var(--soft); } .sights dd { margin: 0; font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .875rem; }
.sights div { box-shadow: inset 3px 0 0 var(--ink, var(--strong-line)); } .expected { --ink: var(--pass); }
.reading { margin: .35rem 0; } .reading::before, .told::before { content: "→ "; color: var(--fail); font-weight: 700; }
.where { display: grid; grid-template-columns: auto 1fr; gap: .1rem .75rem; font-size: .875rem; }
.where dt { color: var(--soft); } .where dd { margin: 0; }
.links { display: flex; flex-wrap: wrap; gap: 0 .9rem; padding: 0; list-style: none; }
.repeat { margin-top: .5rem; font-size: .8125rem; color: var(--soft); }
.repeat code { padding: .1rem .35rem; color: var(--text); background: var(--shade); border-radius: .2rem; }
.more { margin-top: .5rem; }

table { border-collapse: collapse; margin: .75rem 0; font-size: .875rem; }
table.wide, table.stack { width: 100%; }
caption { padding: .25rem 0; text-align: left; font-weight: 600; }
th, td { padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { border-bottom-color: var(--strong-line); color: var(--soft); font-size: .8125rem; font-weight: 600; }
tbody th { font-weight: 600; } .checks tbody th { white-space: nowrap; }
.figure { text-align: right; white-space: nowrap; } thead .figure { white-space: normal; overflow-wrap: normal; }
.stack td { width: 34%; } .stack th[scope=row] { min-width: 8.5rem; font-weight: 500; color: var(--soft); }
.stack td { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .8125rem; }
thead th.client, g.client text { color: var(--client); } thead th.proxy { color: var(--proxy); } thead th.upstream { color: var(--upstream); }
tr.differs { background: var(--on-unsure); } tr.differs th:first-child, tr.differs td:first-child { box-shadow: inset 3px 0 0 var(--unsure); padding-left: .5rem; }
.flag { display: inline-block; padding: 0 .35rem; border: 1px solid var(--unsure); border-radius: .25rem; color: var(--unsure); font: 600 .75rem/1.4 system-ui, sans-serif; white-space: nowrap; }
.scroll { position: relative; overflow-x: auto; max-width: 100%; } .scroll table { overflow-wrap: break-word; } .prose { min-width: 11rem; }
.filter { display: flex; flex-wrap: wrap; gap: .4rem; padding: 0; border: 0; }
.filter legend { float: left; margin-right: .6rem; padding: .25rem 0; color: var(--soft); font-size: .875rem; }
.filter label { position: relative; cursor: pointer; }
.filter input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: pointer; }
.filter span { display: block; padding: .25rem .75rem; border: 1px solid var(--strong-line); border-radius: 1rem; font-size: .875rem; }
.filter input:checked + span { background: var(--text); border-color: var(--text); color: var(--page); font-weight: 600; }
.filter input:focus-visible + span { outline: 3px solid var(--link); outline-offset: 2px; }

details.exchange { margin: .4rem 0; background: var(--card); border: 1px solid var(--line); border-radius: .3rem; }
.found > details.exchange { border-left: .25rem solid var(--fail); }
summary { cursor: pointer; }
.exchange > summary { display: flex; flex-wrap: wrap; align-items: baseline; gap: .1rem .75rem; padding: .45rem .8rem; }
.exchange > summary::before { content: "▸"; color: var(--soft); } .exchange[open] > summary::before { content: "▾"; }
.exchange > summary::-webkit-details-marker { display: none; }
.exchange .number { min-width: 1.6rem; color: var(--soft); text-align: right; } .exchange .name { font-weight: 600; }
.exchange .meta { flex: 1 1 12rem; }
.inside { padding: .25rem 1rem 1rem; } .inside:focus { outline: none; } .inside { scroll-margin-top: 4rem; }
table.inside { margin: 0; } .facts th { overflow-wrap: normal; }
.inside:target { box-shadow: inset 0 0 0 2px var(--link); }
.card:target { outline: 3px solid var(--link); }
.problems { margin: .25rem 0 .5rem; padding: .5rem .5rem .5rem 1.6rem; background: var(--on-fail); border-radius: .3rem; font-size: .9375rem; }
.bodies { margin-top: .75rem; }
.key { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; margin: .5rem 0; padding: 0; list-style: none; color: var(--soft); font-size: .8125rem; }
.key li { display: flex; align-items: center; gap: .4rem; }

.plot { display: block; width: 100%; max-width: 36rem; height: auto; margin: .25rem 0; overflow: visible; }
.plot text { fill: var(--text); font-size: 11.5px; } .plot .words text { fill: var(--soft); }
.plot .grid line { stroke: var(--line); stroke-width: 1; }
.sign { flex: none; width: 16px; height: 16px; } .sign.wide { width: 32px; }
.client { --ink: var(--client); } .proxy { --ink: var(--proxy); } .upstream { --ink: var(--upstream); }
.life { stroke: var(--ink); stroke-width: 3; stroke-opacity: .35; } .life.thick { stroke-width: 10; }
.ticks { stroke: var(--ink); stroke-width: 1; fill: none; }
.mark { fill: var(--ink); } .open { fill: var(--card); stroke: var(--ink); stroke-width: 2; } .cross { stroke: var(--ink); stroke-width: 2.5; fill: none; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.line.s0 { stroke: var(--client); } .line.s1 { stroke: var(--upstream); stroke-dasharray: 7 3; } .line.s2 { stroke: var(--proxy); stroke-dasharray: 2 3; } .line.s3 { stroke: var(--third); stroke-dasharray: 9 3 2 3; }
.line.sent { stroke: var(--upstream); stroke-width: 6; stroke-opacity: .5; } .line.got { stroke: var(--client); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1.25rem 2rem; margin: .75rem 0; }
.line.reading { stroke: var(--client); stroke-width: 1.5; stroke-linecap: round; } .line.dots { stroke-width: 4; } .line.level { stroke: var(--soft); stroke-width: 1; } .line.bound { stroke: var(--unsure); stroke-width: 1.5; stroke-dasharray: 5 4; }
.shade { fill: var(--shade); } .shade.edged { stroke: var(--strong-line); } .faults { fill: var(--third); fill-opacity: .55; }
.start { stroke: var(--soft); stroke-dasharray: 1 3; } .chaos { fill: none; stroke: var(--proxy); stroke-width: 1.5; } .itself { fill: none; stroke: var(--fail); stroke-width: 2.5; }
.beside { color: var(--soft); font-size: .8125rem; }
figcaption { font-size: .875rem; font-weight: 600; }
footer { margin-top: 3rem; padding-top: .75rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .8125rem; }

.matrix th[scope=row] { min-width: 12rem; } .matrix small { display: block; font-weight: 400; } .matrix td { padding: .3rem .2rem; }
.turned { padding: 0 .2rem .3rem; vertical-align: bottom; } .turned span { writing-mode: vertical-rl; transform: rotate(180deg); }
.cell { display: inline-grid; place-items: center; min-width: 1.3rem; height: 1.3rem; border-radius: .2rem; color: var(--soft); font-weight: 400; }
.cell.must { background: var(--on-pass); color: var(--pass); font-weight: 700; } .cell.missed { background: var(--on-fail); color: var(--fail); font-weight: 700; } .cell.also { background: var(--on-skipped); color: var(--text); }

@media (max-width: 44rem) {
  .plot text { font-size: 13.5px; } .prose { min-width: 20rem; }
  body { padding: 0 .75rem 3rem; } .verdict { padding: 1rem; gap: 0 .75rem; } h1 { font-size: 1.6rem; } h1 .suite { display: block; margin: 0; font-size: 1.1rem; }
  .verdict .sign { width: 2.1rem; height: 2.1rem; font-size: 1.2rem; }
  .card { padding: .7rem .8rem; } .overview li { display: block; } .inside { padding: .25rem .7rem .8rem; } th, td { padding-right: .6rem; }
  .stack thead { display: none; } .stack tbody, .stack tr, .stack th, .stack td { display: block; width: auto; }
  .stack tr { padding: .35rem 0; border-bottom: 1px solid var(--line); } .stack th, .stack td { padding: 0 0 0 .5rem; border: 0; }
  .stack td::before { content: attr(data-label) " "; color: var(--soft); font: .75rem system-ui, sans-serif; }
  .stack td:has(> .none) { display: none; }
}
@media print {
  .filter, nav, .skip { display: none; } body { max-width: none; padding: 0; font-size: 10pt; } * { print-color-adjust: exact; }
  .scroll { overflow: visible; } pre { max-height: none; } h2, h3, caption, figcaption { break-after: avoid; }
  .scroll table { font-size: 7pt; overflow-wrap: anywhere; } .scroll th, .scroll td { padding-right: .3rem; } .prose { min-width: 0; }
  .matrix th, .matrix td { padding: 0 .5px; font-size: 6pt; line-height: 1.1; } .matrix th[scope=row] { min-width: 6rem; } .cell { min-width: 0; height: auto; padding: 0; } .matrix .badge { padding: 0; font-size: 6pt; }
  .verdict, .card, figure, tr { break-inside: avoid; } .plots { grid-template-columns: 1fr 1fr; }
}
`;
