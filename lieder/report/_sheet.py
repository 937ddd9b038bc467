"""The style sheet of the HTML page."""

SHEET = """
:root{--ink:#1f2430;--soft:#596273;--paper:#fff;--wash:#f5f7fa;--line:#dfe3ea;--link:#0b62a4;--mark:#6b7280}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#a3adbd;--paper:#14171d;--wash:#1d222b;--line:#323a47;
--link:#7cc0f5}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:60rem;margin:0 auto;padding:2.5rem 1.25rem 3rem}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 1.25rem;letter-spacing:-.015em;overflow-wrap:anywhere}
h2{font-size:1.25rem;line-height:1.3;margin:2.75rem 0 .9rem;padding-bottom:.35rem;
border-bottom:1px solid var(--line);overflow-wrap:anywhere}
p{margin:.6rem 0;max-width:46rem;overflow-wrap:anywhere;white-space:pre-line}
a{color:var(--link)}
.summary{background:var(--wash);border:1px solid var(--line);border-left:.4rem solid var(--mark);border-radius:.5rem;
padding:.9rem 1.2rem}
.summary p:first-child{margin-top:0}.summary p:last-child{margin-bottom:0}
.summary .kind{font-weight:700;font-size:1.1rem}
.symmetries{--mark:#009e73}.no-symmetry{--mark:#d55e00}.cannot-tell{--mark:#e69f00}
nav ol{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;margin:1.1rem 0 0;padding:0;font-size:.92rem}
.wide{overflow-x:auto;margin:1rem 0}
table{border-collapse:collapse;font-size:.93rem;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);padding-bottom:.4rem}
th,td{padding:.4rem .9rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);
white-space:pre-line;overflow-wrap:break-word;max-width:34rem}
th{font-weight:600;color:var(--soft);border-bottom:2px solid var(--line)}
th:first-child,td:first-child{padding-left:.2rem}
.number{text-align:right;white-space:nowrap}
tbody tr:hover{background:var(--wash)}
pre{background:var(--wash);border:1px solid var(--line);border-radius:.5rem;padding:.8rem 1rem;overflow-x:auto;
font-size:.85rem;line-height:1.45}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
figure{margin:1.2rem 0;padding:.75rem;background:#fff;border:1px solid var(--line);border-radius:.5rem;
width:fit-content;max-width:100%;overflow-x:auto}
figure img{display:block;max-width:100%;min-width:calc(var(--wide)*.5);height:auto}
figcaption{color:#596273;font-size:.9rem;margin-top:.5rem;max-width:46rem}
.equations{margin:1rem 0}
.equation{border-bottom:1px solid var(--line);padding:.8rem 0}
.equation dt{color:var(--soft);font-size:.93rem;overflow-wrap:anywhere}
.equation dd{margin:.3rem 0 0}
.formula{font-size:1.2rem;line-height:2.3;overflow-x:auto;overflow-y:hidden}
.formula math{display:inline math}
.plain{color:var(--soft);font-size:.82rem;overflow-wrap:anywhere}
.code{position:relative}
.copy{position:absolute;top:.5rem;right:.5rem}
button,select{font:inherit;font-size:.92rem;color:var(--ink);background:var(--paper);border:1px solid var(--line);
border-radius:.35rem;padding:.2rem .6rem;max-width:100%}
button:hover,select:hover{border-color:var(--soft)}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
h3{font-size:1rem;margin:1.2rem 0 .4rem}
.plot{width:100%;min-width:0}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(20rem,100%),1fr));gap:.5rem}
.controls{display:flex;flex-wrap:wrap;gap:.5rem 1.1rem;align-items:center;margin:1rem 0 .4rem;font-size:.95rem}
.controls label{display:inline-flex;gap:.45rem;align-items:center;max-width:100%}
.controls select{max-width:min(16rem,60vw)}
#time{display:inline-block;min-width:3.2em;font-variant-numeric:tabular-nums}
#slider{width:min(16rem,50vw);accent-color:var(--link)}
#formula{font-size:1.05rem}
#bounds{color:var(--soft);font-size:.9rem;margin:0}
.speed{display:grid;grid-template-columns:minmax(4rem,12rem) 1fr 4rem;gap:.6rem;align-items:center;font-size:.9rem}
.speed .name{overflow-wrap:anywhere}
.speed .bar{height:.7rem;width:calc(var(--share)*100%);background:var(--link);border-radius:.2rem}
.speed .amount{text-align:right;font-variant-numeric:tabular-nums}
[hidden]{display:none!important}
footer{margin-top:3rem;color:var(--soft);font-size:.85rem}
@media (max-width:34rem){main{padding:1.25rem .9rem 2rem}
h1{font-size:1.5rem}
th,td{padding:.35rem .55rem}
figure{padding:.35rem}}
@media print{:root{--ink:#000;--soft:#444;--paper:#fff;--wash:#fff;--line:#bbb;--link:#000}
body{font-size:11pt}main{max-width:none;padding:0}nav,.controls,.copy{display:none}h2{break-after:avoid}
figure img{min-width:0}figure,.equation,tr,.summary{break-inside:avoid}.wide,.formula,pre{overflow:visible}}
""".strip()
