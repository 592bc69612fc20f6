"""How the page looks: light and dark by what the reader's device asks for, white on paper."""

from __future__ import annotations

from vitalkeep.plot.ink import NAMES

_RULES = """
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:66rem;background:var(--paper);color:var(--ink);
font:1rem/1.45 system-ui,"DejaVu Sans",Verdana,sans-serif}
h1{margin:.2rem 0;font-size:1.7rem;overflow-wrap:anywhere}
h2{margin:2rem 0 .5rem;font-size:1.2rem;border-bottom:1px solid var(--rule);padding-bottom:.2rem}
.warning{font-weight:bold;border-left:.3rem solid var(--irregular);padding-left:.6rem;margin:.6rem 0}
.facts{list-style:none;padding:0;margin:.6rem 0}
nav a{display:inline-block;padding:.4rem .8rem .4rem 0}
a{color:var(--line)}
a:focus-visible,.scroll:focus-visible{outline:3px solid var(--line);outline-offset:2px}
figure{margin:.8rem 0}
figcaption{font-size:.9rem;color:var(--muted)}
.strip figcaption{color:var(--ink)}
.scale{color:var(--muted);white-space:nowrap}
svg{display:block;height:auto;max-width:none}
svg.wide,svg.narrow{width:100%}
svg.narrow{display:none}
.square svg{max-width:100%}
.pair{display:flex;gap:1.5rem;align-items:flex-start}
.pair figure{flex:1 1 0;min-width:0}
.pair .square{flex:0 0 96mm}
.scroll{overflow-x:auto;scrollbar-width:thin}
.table{max-height:32rem;overflow-y:auto}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.25rem 1rem .25rem 0;border-bottom:1px solid var(--rule);vertical-align:top}
th{position:sticky;top:0;background:var(--paper);color:var(--muted);font-weight:normal;white-space:nowrap}
td:nth-child(-n+2){white-space:nowrap}
.numbers td,.numbers th{text-align:right}
.numbers .reason{text-align:left;color:var(--muted)}
footer{margin-top:2rem;font-size:.85rem;color:var(--muted)}
@media (max-width:52rem){
svg.wide{display:none}
svg.narrow{display:block}
.pair{display:block}
body{padding:.7rem}
}
@page{size:A4 landscape;margin:12mm}
@media print{
nav{display:none}
body{max-width:none;padding:0;font-size:10pt}
h1{font-size:16pt;margin:0}
h2{margin:5mm 0 1mm}
svg.wide{display:block}
svg.narrow{display:none}
.pair{display:flex}
#day svg.wide{max-height:125mm}
.table{max-height:none;overflow:visible}
.scroll{overflow:visible}
figure,tr{break-inside:avoid}
h2{break-after:avoid}
}
"""


def style() -> str:
    light = "".join(f"--{name}:{colour};" for colour, (name, _) in NAMES.items())
    dark = "".join(f"--{name}:{colour};" for name, colour in NAMES.values())
    return f":root{{{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}{_RULES}"
