/// The style sheet of the report, for light and dark screens.
pub(super) const STYLE: &str = "
:root {
  color-scheme: light dark;
  --ink: #1d2733; --soft: #66727f; --line: #d9dfe5; --paper: #fff; --ok: #2f855a;
}
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6ebf0; --soft: #9aa7b4; --line: #38434e; --paper: #161b20; --ok: #68d391; }
}
body {
  font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 62rem; margin: 2rem auto; padding: 0 1.2rem;
}
h1 { margin-bottom: .2rem }
h2 { margin-top: 2.4rem }
p.lead, .soft { color: var(--soft) }
.cards { display: flex; flex-wrap: wrap; gap: .8rem }
.card { border: 1px solid var(--line); border-radius: .5rem; padding: .6rem 1rem; min-width: 8rem }
.card b { display: block; font-size: 1.6rem; font-variant-numeric: tabular-nums }
table {
  border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums;
}
th, td {
  text-align: left; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top;
}
th { color: var(--soft); font-weight: 500 }
figure { margin: 1rem 0 }
svg { width: 100%; height: auto }
svg text { fill: var(--soft) }
.bad { color: #e53e3e }
.good { color: var(--ok) }
";
