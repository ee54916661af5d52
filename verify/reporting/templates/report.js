"use strict";
const data = JSON.parse(document.getElementById("checks").textContent);
const LIMIT = 200; // rows that one table shows at once
const find = id => document.getElementById(id);
const make = (tag, text, kind) => { const made = document.createElement(tag); if (text !== undefined) made.textContent = text; if (kind) made.className = kind; return made; };
const checks = data.rows.map(row => Object.fromEntries(data.columns.map((name, at) => [name, row[at]])));

/** Four significant digits, as everywhere in the suite. */
function number(x) {
  if (x === null || x === undefined) return "";
  if (typeof x === "string" || x === 0) return String(x);
  const [digits, power] = x.toExponential(3).split("e").map(Number);
  if (power >= -4 && power < 4) return String(Number(x.toPrecision(4)));
  return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}
function ratio(check) {
  if (check.rounding) return "rounding";
  const x = check.tightness;
  return typeof x === "number" && Math.abs(x) >= 1e-3 && Math.abs(x) < 1e4 ? x.toFixed(4) : number(x);
}
const interval = check => check.lower === null || check.upper === null ? "" : `[${number(check.lower)}, ${number(check.upper)}]`;
const columns = [
  ["problem", c => c.problem], ["N", c => c.N, true], ["rule", c => c.rule], ["check", c => c.label],
  ["measured", c => number(c.measured), true, c => c.measured], ["interval", interval], ["bound", c => number(c.bound), true, c => c.bound],
  ["ratio", ratio, true, c => c.rounding ? -1 : c.tightness], ["method", c => `${c.method}, ${c.samples}`], ["verdict", c => c.verdict],
];

const place = check => [check.claim, check.problem, check.N, check.rule, check.index].map(encodeURIComponent).join("/");
const quoted = word => /^[\w.-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
const command = check => `python -m verify run --claim ${quoted(check.claim_spec + check.claim)} --problem ${quoted(check.spec)} --inner-steps ${check.N} --profile ${data.profile} --seed ${data.seed} --out check --overwrite`;

/** Sort what `rows` gives by the column of a header that is pressed; pressed again, the other way round. */
function sortable(table, order) {
  for (const header of table.querySelectorAll("thead th")) {
    header.querySelector("button")?.addEventListener("click", () => {
      const down = header.getAttribute("aria-sort") !== "descending" && (header.classList.contains("n") || header.getAttribute("aria-sort") === "ascending");
      for (const other of table.querySelectorAll("thead th")) other.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", down ? "descending" : "ascending");
      order(header.cellIndex, down ? -1 : 1);
    });
  }
}
const numeric = x => x === null || x === undefined ? -Infinity : x === "inf" ? Infinity : x;
const against = (value, sign) => (a, b) => {
  const [x, y] = [numeric(value(a)), numeric(value(b))];
  return sign * (typeof x === "number" && typeof y === "number" ? x - y || 0 : String(x).localeCompare(String(y)));
};

const wanted = () => ({ words: find("find").value.trim().toLowerCase(), verdict: find("verdict").value, problem: find("problem").value, statement: find("statement").value });
const passes = (check, want) => (!want.verdict || check.verdict === want.verdict) && (!want.problem || check.problem === want.problem);

/** The table of one claim's checks, those that pass the filters. */
function show(area) {
  let shown = checks.filter(check => check.claim === area.dataset.claim && passes(check, wanted()));
  area.replaceChildren();
  const caption = `${shown.length} checks` + (shown.length > LIMIT ? `, the first ${LIMIT} of them here` : "");
  const table = make("table"), head = make("tr"), body = make("tbody");
  table.append(make("caption", caption), make("thead"), body);
  table.tHead.append(head);
  for (const [name, , right] of columns) { const th = make("th", undefined, right ? "n" : ""); th.scope = "col"; const button = make("button", name); button.type = "button"; th.append(button); head.append(th); }
  const last = make("th", "reproduce"); last.scope = "col"; head.append(last);
  const fill = () => body.replaceChildren(...shown.slice(0, LIMIT).map(check => {
    const row = make("tr");
    row.id = place(check);
    for (const [name, text, right] of columns) row.append(make("td", text(check), name === "verdict" ? `verdict ${check.verdict}` : right ? "n" : ""));
    if (check.note) row.cells[3].append(make("div", check.note, "soft"));
    const cell = make("td"), copy = make("button", "copy"), link = make("a", "link");
    copy.type = "button"; copy.title = command(check); copy.setAttribute("aria-label", `copy the command: ${command(check)}`);
    copy.addEventListener("click", () => navigator.clipboard.writeText(command(check)).then(() => { copy.textContent = "copied"; }));
    link.href = `#${place(check)}`; cell.append(copy, " ", link); row.append(cell);
    return row;
  }));
  sortable(table, (at, sign) => { const [, text, , value] = columns[at]; shown = [...shown].sort(against(value ?? text, sign)); fill(); });
  fill();
  area.append(table);
}

const ledger = find("ledger");
const claims = [...ledger.querySelectorAll("tr.claim")];
const detail = row => find(row.querySelector("button").getAttribute("aria-controls"));
function open(row, isOpen) {
  row.querySelector("button").setAttribute("aria-expanded", isOpen);
  detail(row).hidden = !isOpen || row.hidden;
  if (isOpen) show(detail(row).querySelector(".checks"));
}
const isOpen = row => row.querySelector("button").getAttribute("aria-expanded") === "true";
for (const row of claims) row.querySelector("button").addEventListener("click", () => open(row, !isOpen(row)));

function update() {
  const want = wanted(), matching = checks.filter(check => passes(check, want)), counts = new Map();
  for (const check of matching) counts.set(check.claim, (counts.get(check.claim) ?? 0) + 1);
  let shown = 0, total = 0;
  for (const row of claims) {
    const text = (row.textContent + detail(row).querySelector(".about").textContent).toLowerCase();
    row.hidden = !text.includes(want.words) || !counts.has(row.dataset.claim) || (want.statement && row.dataset.statement !== want.statement);
    if (!row.hidden) { shown += 1; total += counts.get(row.dataset.claim); }
    open(row, isOpen(row));
  }
  for (const group of ledger.querySelectorAll("tr.group")) group.hidden = sorted || !claims.some(row => !row.hidden && row.dataset.statement === group.dataset.statement);
  find("shown").textContent = `${shown} of ${claims.length} claims shown, with ${total} of ${checks.length} checks`;
}
let sorted = false;
sortable(ledger, (at, sign) => {
  sorted = true;
  const value = row => { const cell = row.cells[at]; return cell.dataset.value === undefined ? cell.textContent.trim() : cell.dataset.value === "" ? null : Number(cell.dataset.value); };
  for (const row of [...claims].sort(against(value, sign))) ledger.tBodies[0].append(row, detail(row));
  update();
});
const home = [...ledger.tBodies[0].rows];
find("restore").addEventListener("click", () => {
  sorted = false;
  for (const header of ledger.querySelectorAll("thead th")) header.removeAttribute("aria-sort");
  ledger.tBodies[0].append(...home);
  update();
});
for (const id of ["find", "verdict", "problem", "statement"]) find(id).addEventListener("input", update);

find("csv").addEventListener("click", () => {
  const names = new Set(claims.filter(row => !row.hidden).map(row => row.dataset.claim));
  const cell = x => x === null ? "" : /[",\n]/.test(x) ? `"${String(x).replaceAll('"', '""')}"` : x;
  const rows = checks.filter(check => names.has(check.claim) && passes(check, wanted())).map(check => data.columns.map(name => cell(check[name])).join(","));
  const link = make("a");
  link.href = URL.createObjectURL(new Blob([[data.columns.join(","), ...rows].join("\n") + "\n"], { type: "text/csv" }));
  link.download = "checks.csv";
  link.click();
});

/** Open what the address names: a claim, or one check of it. */
function follow() {
  const target = location.hash.slice(1), parts = target.split("/").map(decodeURIComponent);
  const row = claims.find(claim => claim.id === target || claim.dataset.claim === parts[0]);
  if (!row) return;
  open(row, true);
  const check = parts.length > 1 && document.getElementById(target);
  (check || row).scrollIntoView({ block: "center" });
  if (check) check.classList.add("alert");
}
addEventListener("hashchange", follow);
update();
follow();
