
"use strict";
// The cohort's table: TanStack Table sorts and filters the rows, here those in view are drawn.
const DATA = JSON.parse(document.getElementById("rows").textContent);
const ROW = 46;  // pixels, as in the style sheet
const BEYOND = 8;  // rows drawn beyond what is seen
const PRINTED = 3000;
const el = (id) => document.getElementById(id);

// A row unpacks itself when it is looked at: of 50,000 most never are.
class Row {
  constructor(packed, at) {
    [this.id, this.other, this.score, this.share, this.open, this.place, this.hits, this.codes, this.bits,
      this.shares, this.fault, this.bare] = packed;
    this.at = at;
  }
  get name() { return this.other || this.id; }
  get href() { return `submissions/${encodeURIComponent(this.id)}/report.html`; }
  get decided() { return this.share >= 0; }
  get percent() { return this.decided ? this.share : undefined; }
  get failed() { return this.decided ? this.hits : undefined; }
  get band() { return this.decided ? DATA.bands[this.place] : undefined; }
  get words() { return this.codes.map((code) => DATA.codes[code]); }
  get reasons() { return DATA.reasons.filter((_, bit) => this.bits & (1 << bit)); }
  get text() { return this.kept ??= [this.name, this.id, ...this.words, this.fault].join("\n").toLowerCase(); }
}
const rows = DATA.rows.map((packed, at) => new Row(packed, at));

// ── what is shown, in which order ────────────────────────────────────────────

// Numbers by their value and letters without marks, as a key: a collator takes seconds for 50,000.
const key = (text) => text?.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "")
  .replace(/\d+/g, (digits) => digits.padStart(12, "0"));
const byText = (a, b, column) => {
  const [x, y] = [a.getValue(column), b.getValue(column)];
  return x < y ? -1 : Number(x > y);
};
const byNumber = (a, b, column) => a.getValue(column) - b.getValue(column);
const column = (id, value, sortingFn, down) => ({
  id, accessorFn: value, sortingFn, sortDescFirst: down, sortUndefined: "last",
});

function kept(row, only) {
  const [kind, value] = [only.slice(0, only.indexOf(":")), only.slice(only.indexOf(":") + 1)];
  if (kind === "band") return row.band === value;
  if (kind === "reason") return row.reasons.some(([key]) => key === value);
  return kind === "code" ? row.words.includes(value) : row.decided;
}

function matches(row, _, { words, only }) {
  return (!only || kept(row.original, only)) && words.every((word) => row.original.text.includes(word));
}

const table = TableCore.createTable({
  data: rows,
  columns: [
    column("name", (row) => key(row.name), byText, false),
    column("score", (row) => row.percent, byNumber, true),
    column("percent", (row) => row.percent, byNumber, true),
    column("band", (row) => key(row.band), byText, false),
    column("failed", (row) => row.failed, byNumber, true),
    column("wants", (row) => row.bits || undefined, byNumber, false),
    column("defects", (row) => row.codes.length, byNumber, true),
  ],
  state: {},
  onStateChange: (update) => apply(typeof update === "function" ? update(state) : update),
  getColumnCanGlobalFilter: (one) => one.id === "name",  // asked once a row
  globalFilterFn: matches,
  enableSortingRemoval: false,
  enableMultiSort: false,
  renderFallbackValue: null,
  getCoreRowModel: TableCore.getCoreRowModel(),
  getFilteredRowModel: TableCore.getFilteredRowModel(),
  getSortedRowModel: TableCore.getSortedRowModel(),
});
let state = table.initialState;

function apply(next) {
  state = next;
  table.setOptions((options) => ({ ...options, state }));
  draw();
}

// ── the rows in view ─────────────────────────────────────────────────────────

const frame = el("frame"), body = document.querySelector("#cohort tbody");
const drawn = new Map();

function node(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function line(row) {
  const tr = node("tr", undefined, row.decided ? "graded" : "undecided");
  const name = node("th"), link = node("a"), bdi = node("bdi", row.name);
  name.scope = "row";
  name.className = "c-name";
  link.href = row.href;
  link.append(bdi);
  name.append(link);
  if (row.id !== row.name) name.append(" ", node("bdi", row.id, "sub mono"));
  const score = node("td", row.score || "–", "c-score");
  if (row.decided && row.open) score.title = `${row.open} points wait for a person`;
  const percent = node("td", row.decided ? `${Math.floor(row.percent * 10) / 10}%` : "–", "c-percent");
  const band = node("td", row.band ?? "–", "c-band");
  const failed = node("td", row.failed ?? "–", "c-failed");
  const wants = node("td", undefined, "c-wants"), codes = node("td", undefined, "c-defects");
  for (const [key, title] of row.reasons) wants.append(node("span", title, `reason ${key}`), " ");
  if (row.bare) wants.append(node("span", "UNISOLATED", "reason undecided"));
  if (!row.decided) codes.append(`${row.fault || "The grader failed; grade it again."} `);
  for (const word of row.words) codes.append(node("span", word, "code-chip"), " ");
  codes.title = codes.textContent;
  tr.append(name, score, percent, band, failed, wants, codes);
  return tr;
}

function pad(count) {
  const tr = node("tr", undefined, "pad");
  tr.setAttribute("aria-hidden", "true");
  const td = tr.appendChild(node("td"));
  td.colSpan = 7;
  td.style.height = `${count * ROW}px`;
  return tr;
}

function draw(all = false) {
  const list = table.getRowModel().rows;
  const seen = Math.ceil(frame.clientHeight / ROW);
  const first = all ? 0 : Math.max(0, Math.min(Math.floor(frame.scrollTop / ROW) - BEYOND, list.length - seen));
  const last = Math.min(list.length, all ? PRINTED : first + seen + 2 * BEYOND);
  const kept = new Map();
  const lines = list.slice(first, last).map(({ original }, at) => {
    const tr = drawn.get(original.at) ?? line(original);
    tr.setAttribute("aria-rowindex", first + at + 2);
    kept.set(original.at, tr);
    return tr;
  });
  drawn.clear();
  kept.forEach((tr, at) => drawn.set(at, tr));
  const next = [...(first ? [pad(first)] : []), ...lines, ...(last < list.length ? [pad(list.length - last)] : [])];
  const focused = document.activeElement;
  if (next.length !== body.children.length || next.some((tr, at) => tr !== body.children[at])) body.replaceChildren(...next);
  if (focused !== document.activeElement && body.contains(focused)) focused.focus({ preventScroll: true });
  el("cohort").setAttribute("aria-rowcount", list.length + 1);
  el("none").hidden = list.length > 0;
  el("shown").textContent = `${list.length.toLocaleString()} of ${rows.length.toLocaleString()} shown`;
  const [sorted] = state.sorting;
  for (const header of headers) {
    const mine = sorted && sorted.id === header.dataset.id;
    if (mine) header.setAttribute("aria-sort", sorted.desc ? "descending" : "ascending");
    else header.removeAttribute("aria-sort");
  }
}

const headers = [...document.querySelectorAll("#cohort thead th")];
for (const header of headers) {
  header.querySelector("button").addEventListener("click", () => {
    table.getColumn(header.dataset.id).toggleSorting();
    frame.scrollTop = 0;
    draw();
  });
}

const find = el("find"), only = el("only");

function filter() {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  frame.scrollTop = 0;
  table.setGlobalFilter(words.length || only.value ? { words, only: only.value } : undefined);
}

function choose(value, words) {
  if (![...only.options].some((option) => option.value === value)) {
    only.add(new Option(value.slice(value.indexOf(":") + 1), value));
  }
  only.value = value;
  find.value = "";
  filter();
  el("h-all").scrollIntoView();
  only.focus({ preventScroll: true });
}

if (rows.length) {
  el("tools").hidden = frame.hidden = false;
  find.addEventListener("input", filter);
  only.addEventListener("change", filter);
  frame.addEventListener("scroll", () => requestAnimationFrame(() => draw()), { passive: true });
  addEventListener("resize", () => draw());
  addEventListener("beforeprint", () => draw(true));
  addEventListener("afterprint", () => draw());
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("button.find");
    if (button) choose(button.dataset.only ?? `code:${button.dataset.code}`);
  });
  apply(state);
}

// ── the map of candidates and defects ────────────────────────────────────────

const map = el("map");
const SHOWN = 24;  // defects with a column
const NAMED = 80;  // candidates up to which each has a row with a name
const picture = { left: 0, top: 0, column: 0, row: 0, bins: [], columns: [] };

function arrange() {
  const graded = rows.filter((row) => row.decided);
  const codes = DATA.codes.slice(0, SHOWN).map((title, code) => ({ title, code }));
  picture.columns = [...DATA.dimensions.map((title, dimension) => ({ title, dimension })), ...codes];
  const count = graded.length <= NAMED ? graded.length : Math.min(graded.length, 160);
  picture.bins = Array.from({ length: count }, (_, at) => graded.slice(
    Math.floor(at * graded.length / count), Math.floor((at + 1) * graded.length / count)));
  picture.named = graded.length <= NAMED;
}

function strength(bin, one) {
  if (one.code !== undefined) return bin.filter((row) => row.codes.includes(one.code)).length / bin.length;
  const known = bin.map((row) => row.shares[one.dimension]).filter((digit) => digit !== "-");
  return known.length ? known.reduce((sum, digit) => sum + (9 - digit), 0) / (9 * known.length) : 0;
}

function sketch() {
  const style = getComputedStyle(document.documentElement), colour = (name) => style.getPropertyValue(name).trim();
  const room = el("canvas").clientWidth, dots = devicePixelRatio || 1;
  const { columns, bins, named } = picture, dimensions = DATA.dimensions.length;
  const gap = dimensions ? 10 : 0;
  picture.left = named ? 150 : 64;
  picture.top = 170;
  picture.row = named ? 15 : 3;
  picture.column = Math.max(17, Math.min(34, Math.floor((room - picture.left - gap - 8) / columns.length)));
  const width = picture.left + columns.length * picture.column + gap, height = picture.top + bins.length * picture.row;
  picture.gap = gap;
  map.width = width * dots;
  map.height = height * dots;
  map.style.width = `${width}px`;
  map.style.height = `${height}px`;
  const pen = map.getContext("2d");
  pen.scale(dots, dots);
  pen.font = `11px ${colour("--mono")}`;
  pen.textBaseline = "middle";
  const x = (at) => picture.left + at * picture.column + (at >= dimensions ? gap : 0);
  columns.forEach((one, at) => {
    pen.save();
    pen.translate(x(at) + picture.column / 2, picture.top - 6);
    pen.rotate(-Math.PI / 2);
    pen.fillStyle = colour("--ink");
    pen.fillText(one.title.length > 24 ? `${one.title.slice(0, 23)}…` : one.title, 0, 0);
    pen.restore();
    pen.fillStyle = colour("--sunk");
    pen.fillRect(x(at), picture.top, picture.column - 1, bins.length * picture.row);
  });
  pen.textAlign = "right";
  bins.forEach((bin, at) => {
    const y = picture.top + at * picture.row;
    if (named || at % 20 === 0) {
      const label = named ? bin[0].name : `${Math.floor(bin[0].percent)}%`;
      pen.fillStyle = colour("--soft");
      pen.fillText(label.length > 20 ? `${label.slice(0, 19)}…` : label, picture.left - 8, y + picture.row / 2);
    }
    columns.forEach((one, place) => {
      const share = strength(bin, one);
      if (!share) return;
      pen.globalAlpha = 0.2 + 0.8 * share;
      pen.fillStyle = colour(one.code === undefined ? "--done" : "--fail");
      pen.fillRect(x(place), y, picture.column - 1, picture.row - (named ? 1 : 0));
      pen.globalAlpha = 1;
    });
  });
}

function field({ offsetX, offsetY }) {
  const { left, top, column: wide, row, gap, columns, bins } = picture;
  const after = left + DATA.dimensions.length * wide;
  const place = Math.floor((offsetX > after + gap ? offsetX - gap - left : Math.min(offsetX, after - 1) - left) / wide);
  return { one: columns[place], bin: bins[Math.floor((offsetY - top) / row)] };
}

function chart() {
  arrange();
  el("map-said").textContent = (picture.named ? "One row a candidate, the best on top. "
    : `Each row about ${Math.ceil(rows.length / picture.bins.length)} candidates, the best on top. `)
    + "Blue: checks of a dimension that fail; red: a defect"
    + (DATA.codes.length > SHOWN ? `, of the ${DATA.codes.length} the ${SHOWN} most frequent.` : ".");
  new ResizeObserver(sketch).observe(el("canvas"));  // draws at once, too
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", sketch);
  map.addEventListener("mousemove", (event) => {
    const { one, bin } = field(event);
    map.style.cursor = one && one.code !== undefined ? "pointer" : "default";
    if (!one || !bin) return;
    const who = bin.length === 1 ? bin[0].name : `${bin.length} candidates around ${Math.floor(bin[0].percent)}%`;
    const what = one.code === undefined ? `${Math.round(100 * strength(bin, one))}% of the checks fail`
      : bin.length === 1 ? (strength(bin, one) ? "yes" : "no") : `${Math.round(100 * strength(bin, one))}% have it`;
    el("map-at").textContent = `${who} · ${one.title}: ${what}`;
  });
  map.addEventListener("click", (event) => {
    const { one } = field(event);
    if (one && one.code !== undefined) choose(`code:${one.title}`);
  });
}

if (rows.some((row) => row.decided) && DATA.codes.length + DATA.dimensions.length) {
  el("atlas").hidden = false;
  setTimeout(chart);  // the table comes first
}
document.documentElement.dataset.ready = performance.now().toFixed(0);
