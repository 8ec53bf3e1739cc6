/** The style sheet of a report: light or dark as the reader's system asks, light on paper. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1c2024; --soft: #59626c; --grid: #e6e9ec; --rule: #cdd3d9;
  --truth: #1c2024; --best: #0a5796;
  --series-1: #1478d4; --series-2: #c2570c; --series-3: #2b7f4f; --series-4: #8144a8; --series-5: #a8324e; --series-6: #5b6470;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #14181c; --ink: #e6eaee; --soft: #a2acb6; --grid: #272e35; --rule: #3a434c;
    --truth: #e6eaee; --best: #8cc8ff;
    --series-1: #4ca3f5; --series-2: #f59a54; --series-3: #6fcf97; --series-4: #c79bea; --series-5: #f2839c; --series-6: #b3bcc6;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 60rem; padding: 2.5rem 1.5rem 4rem;
  background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; letter-spacing: -0.01em; }
h2 { margin: 3rem 0 1rem; padding-top: 0.9rem; border-top: 1px solid var(--rule); font-size: 1.3rem; line-height: 1.3; }
h1, h2, p, li, caption, figcaption, .figure, .groups td, .groups th { overflow-wrap: anywhere; }
p { max-width: 46rem; margin: 0.5rem 0; }
.subtitle { color: var(--soft); font-size: 1.05rem; }
.key, .missing { color: var(--soft); font-size: 0.875rem; }

.figures { display: flex; flex-wrap: wrap; gap: 1.25rem 3rem; margin-top: 1.75rem; }
.figure .label { color: var(--soft); font-size: 0.875rem; }
.figure .value { font-size: 2rem; line-height: 1.3; font-weight: 600; }
.figure .value small { font-size: 1.1rem; font-weight: 400; color: var(--soft); }
.figure .beside { color: var(--soft); font-size: 0.875rem; font-variant-numeric: tabular-nums; }

figure { margin: 1.25rem 0 2rem; break-inside: avoid; }
figcaption, caption { margin-bottom: 0.25rem; font-weight: 600; }
figure div > svg { --plot-background: var(--paper); display: block; width: 100%; height: auto; }
.narrow { display: none; }
.legend { display: flex; flex-wrap: wrap; gap: 0.1rem 1.25rem; margin: 0 0 0.5rem; padding: 0; list-style: none; color: var(--soft); font-size: 0.875rem; }
.legend svg { margin-right: 0.45rem; vertical-align: middle; fill: none; }

.scroll { overflow-x: auto; margin-bottom: 0.75rem; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0 0.25rem 1.5rem; border-bottom: 1px solid var(--grid); text-align: right; vertical-align: top; font-weight: 400; }
th:first-child { padding-left: 0; text-align: left; }
thead th { border-bottom-color: var(--rule); color: var(--soft); }
.group th { padding-top: 1rem; border-bottom-color: var(--rule); font-weight: 600; }
td.best { color: var(--best); font-weight: 700; }
.errors th[scope="row"] { min-width: 7rem; }

.passage { white-space: pre-wrap; }
.texts td { text-align: left; }

.groups { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1.75rem 3rem; align-items: start; }
.groups table { width: 100%; break-inside: avoid; }
.groups td { text-align: left; }
.groups th { width: 42%; color: var(--soft); }
caption { text-align: left; }
summary { cursor: pointer; color: var(--soft); font-size: 0.9rem; }
details table { margin-top: 0.5rem; }

@media screen and (max-width: 640px) {
  body { padding: 1.5rem 1rem 3rem; }
  h1 { font-size: 1.5rem; }
  .wide { display: none; }
  .narrow { display: block; }
  .figures { gap: 1.25rem 2rem; }
  table { font-size: 0.8125rem; }
  th, td { padding-left: 0.75rem; }
}
@media print {
  @page { margin: 16mm; }
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  h1 { font-size: 20pt; }
  h2 { margin-top: 1.75rem; break-after: avoid; }
  .figures { gap: 1rem 2rem; }
  .figure .value { font-size: 1.5rem; }
  .figure .beside { font-size: 0.8rem; }
  .scroll { overflow: visible; }
  tbody { break-inside: avoid; }
  details { display: none; }
}
`;
