"use strict";
// What reviewers say is kept by the server, change by change; this page shows the last of each
// field, sends new ones with the version that they are made upon, and asks for those of others.
const POLL_MS = 2500;
let state = JSON.parse(document.getElementById("state").textContent);
const here = location.pathname;
const who = document.getElementById("who");
const when = (at) => new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
const by = (field) => `${field.who}, ${when(field.at)}`;
const isMark = (name) => name.startsWith("mark/") || name.startsWith("total/");
const versionOf = (name) => state.fields[name]?.version ?? 0;

function element(tag, text, kind) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

// ── the reviewer's name stays in this browser ──
try { who.value = localStorage.getItem("reviewer") || who.value; } catch { /* none kept */ }
who.addEventListener("change", () => {
  try { localStorage.setItem("reviewer", who.value.trim()); } catch { /* none kept */ }
});

// ── forms: what is in them, and upon which version it was typed ──
const forms = [...document.querySelectorAll("form[data-field]")].map((node) => ({
  node, name: node.dataset.field, base: 0, dirty: false,
  notice: node.querySelector(".notice"), conflict: node.querySelector(".conflict"),
}));

function read(form) {
  const inputs = form.node.elements;
  if (form.name.startsWith("total/")) return { points: inputs.points.valueAsNumber, note: inputs.note.value };
  if (form.name.startsWith("mark/")) {
    const ticked = [...form.node.querySelectorAll("[name=ticked]:checked")].map((box) => box.value);
    return { points: inputs.points.valueAsNumber, ticked, note: inputs.note.value };
  }
  return { status: inputs.status.value, reason: inputs.reason.value };
}

function fill(form) {
  const field = state.fields[form.name];
  const value = field?.value ?? {};
  const inputs = form.node.elements;
  if (isMark(form.name)) {
    for (const box of form.node.querySelectorAll("[name=ticked]")) {
      box.checked = (value.ticked ?? []).includes(box.value);
    }
    inputs.points.value = value.points ?? "";
    inputs.note.value = value.note ?? "";
  } else {
    inputs.status.value = value.status ?? "";
    inputs.reason.value = value.reason ?? "";
  }
  form.base = versionOf(form.name);
  form.dirty = false;
  form.node.classList.remove("form-dirty");
  form.conflict.hidden = true;
  describe(form);
}

function say(node, words, kind = "") {
  node.textContent = words;
  node.className = `notice ${kind}`;
}

function describe(form) {
  const field = state.fields[form.name];
  form.node.querySelector("[data-take-back]").hidden = !field?.value;
  if (!field) say(form.notice, "");
  else if (!field.value) say(form.notice, `Taken back by ${by(field)}.`);
  else if (field.why_not) say(form.notice, `Not counted. ${field.why_not} Saved by ${by(field)}.`, "late");
  else say(form.notice, `Saved by ${by(field)}.`, "good");
  const pill = form.node.closest("details.check")?.querySelector(".overridden");
  if (pill) {
    pill.hidden = !field?.value;
    pill.textContent = field?.value ? `a human says: ${field.value.status === "pass" ? "passed" : "failed"}` : "";
  }
}

function valueInWords(name, value) {
  if (!value) return "took it back";
  if (isMark(name)) return `gave ${value.points} of ${value.of} points${value.note ? ` (“${value.note}”)` : ""}`;
  return `said ${value.status === "pass" ? "passed" : "failed"}, because “${value.reason}”`;
}

function contest(form) {
  const field = state.fields[form.name];
  form.conflict.replaceChildren(element("p", `${field.who} ${valueInWords(form.name, field.value)} on ${when(field.at)}, while you were writing. Nothing is lost: both stay in the history.`));
  const row = element("div", "", "row");
  const theirs = element("button", "Take theirs", "button quiet");
  const mine = element("button", "Save mine", "button");
  theirs.type = mine.type = "button";
  theirs.addEventListener("click", () => fill(form));
  mine.addEventListener("click", () => { form.base = versionOf(form.name); send(form, read(form)); });
  row.append(theirs, mine);
  form.conflict.append(row);
  form.conflict.hidden = false;
  say(form.notice, "Not saved: someone else changed this first.", "bad");
}

// ── sending ──
async function post(order) {
  if (!who.value.trim()) {
    who.focus();
    return { trouble: "Not saved: say who you are, at the top." };
  }
  let answer;
  try {
    answer = await fetch(`${here}/changes`, {
      method: "POST", headers: { "Content-Type": "application/json" }, cache: "no-store",
      body: JSON.stringify({ ...order, who: who.value.trim() }),
    });
  } catch {
    return { trouble: "Not saved: the grader does not answer. Is it still running?" };
  }
  const body = await answer.json().catch(() => ({}));
  if (body.state) state = body.state;
  if (answer.ok) return {};
  return answer.status === 409 ? { conflict: true } : { trouble: `Not saved: ${body.error ?? answer.status}` };
}

async function send(form, value) {
  say(form.notice, "Saving …");
  const result = await post({ field: form.name, value, base: form.base });
  if (result.trouble) { say(form.notice, result.trouble, "bad"); return; }
  if (!result.conflict) fill(form);
  show();
  if (result.conflict) contest(form);
}

for (const form of forms) {
  form.node.addEventListener("input", () => {
    form.dirty = true;
    form.node.classList.add("form-dirty");
    say(form.notice, "Not saved yet.");
  });
  form.node.addEventListener("submit", (event) => {
    event.preventDefault();
    const value = read(form);
    const missing = Number.isNaN(value.points) ? "points" : value.status === "" ? "status" : "";
    if (missing) {
      form.node.elements[missing].focus();
      say(form.notice, missing === "points" ? "Say how many points." : "Say whether it passed.", "bad");
      return;
    }
    send(form, value);
  });
  form.node.querySelector("[data-take-back]").addEventListener("click", () => send(form, null));
  form.node.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.node.requestSubmit();
  });
}
addEventListener("beforeunload", (event) => {
  if (forms.some((form) => form.dirty) || remarkText?.value) event.preventDefault();
});

// ── comments on lines ──
const remark = document.getElementById("remark");
const remarkText = document.getElementById("remark-text");
const files = [...document.querySelectorAll("details.file")];

function place(value) {
  const file = files[value.index];
  return file?.querySelector(`[data-line="${value.line}"]`);
}

function showComments() {
  document.querySelectorAll(".note.remarked").forEach((note) => note.remove());
  const elsewhere = document.getElementById("elsewhere");
  elsewhere.replaceChildren();
  for (const [name, field] of Object.entries(state.fields)) {
    if (!name.startsWith("comment/") || !field.value) continue;
    const { file, line, quote, text } = field.value;
    const at = field.why_not ? null : place(field.value);
    const note = element(at ? "p" : "li", "", at ? "note remarked" : "");
    note.append(element("strong", `${field.who}: `), element("span", text));
    if (!at) note.append(element("p", `About ${file}:${line} as it was: ${quote}`, "soft mono"));
    const back = element("button", "Take back", "button quiet");
    back.type = "button";
    back.setAttribute("aria-label", `Take back the comment on line ${line}`);
    back.addEventListener("click", async () => {
      const result = await post({ field: name, value: null, base: field.version });
      if (result.trouble) say(remark.querySelector(".notice"), result.trouble, "bad");
      show();
    });
    note.append(back);
    if (at) at.after(note); else elsewhere.append(note);
  }
}

remark?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const said = remark.querySelector(".notice");
  const [file, line] = [document.getElementById("remark-file"), document.getElementById("remark-line")];
  const [number, text] = [line.valueAsNumber, remarkText.value.trim()];
  if (Number.isNaN(number) || !text) { say(said, "Say which line, and what about it.", "bad"); return; }
  const random = crypto.getRandomValues(new Uint32Array(4));
  const value = { file: state.paths[file.value], line: number, text };
  const result = await post({ field: `comment/${[...random].map((n) => n.toString(16)).join("-")}`, value, base: 0 });
  if (result.trouble) { say(said, result.trouble, "bad"); return; }
  say(said, `Saved, on line ${number}.`, "good");
  remarkText.value = "";
  show();
});

document.addEventListener("click", (event) => {
  const number = event.target.closest(".listing .ln");
  if (!number || !remark) return;
  document.getElementById("remark-file").value = number.closest("details.file").dataset.file;
  document.getElementById("remark-line").value = number.parentElement.dataset.line;
  remarkText.focus();
});

// ── what is shown of the whole ──
function showTotal(id, total) {
  const node = document.getElementById(id);
  const rest = [total.percent, total.band].filter(Boolean).join(" · ");
  node.replaceChildren(total.score || total.status, element("small", rest));
}

function show() {
  showTotal("automatic", state.automatic);
  showTotal("total", state.total);
  const running = [state.total.score || state.total.status, state.total.open && `${state.total.open} open`];
  document.getElementById("running").textContent = running.filter(Boolean).join(", ");
  document.getElementById("open-points").textContent = state.total.open || "0";
  document.getElementById("gates").replaceChildren(...state.total.gates.map((gate) => element("li", gate)));
  document.getElementById("waiting").hidden = !state.waiting;
  document.getElementById("waiting-count").textContent = `${state.waiting} ${state.waiting === 1 ? "mark is" : "marks are"}`;
  const lines = state.history.map((change) => {
    const line = element("li", "");
    line.append(element("span", by(change)), element("div", change.words));
    return line;
  });
  document.getElementById("history").replaceChildren(...lines);
  document.getElementById("no-history").hidden = lines.length > 0;
  for (const form of forms) {
    if (versionOf(form.name) === form.base) continue;
    if (!form.dirty) fill(form);
    else if (form.conflict.hidden) {
      const field = state.fields[form.name];
      say(form.notice, `${field.who} ${valueInWords(form.name, field.value)} meanwhile. Yours is not saved yet.`, "late");
    }
  }
  showComments();
}

async function poll() {
  try {
    const answer = await fetch(`${here}/changes?${new URLSearchParams({ after: state.last, graded: state.graded })}`, { cache: "no-store" });
    if (answer.status === 200) {
      const fresh = await answer.json();
      if (fresh.graded !== state.graded) document.getElementById("regraded").hidden = false;
      else if (fresh.last > state.last) { state = fresh; show(); }
    }
  } catch { /* it is said when something is to be saved */ }
  setTimeout(poll, POLL_MS);
}

// ── the walk by keyboard ──
const walk = { j: "#after", k: "#before", i: "[accesskey=i]" };
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input:not([type=checkbox]), select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key in walk) document.querySelector(walk[event.key])?.click();
  if (event.key !== "m") return;
  event.preventDefault();
  const marks = forms.filter((form) => isMark(form.name));
  const at = marks.findIndex((form) => form.node.contains(document.activeElement));
  marks[(at + 1) % marks.length]?.node.elements.points.focus();
});

forms.forEach(fill);
show();
setTimeout(poll, POLL_MS);
