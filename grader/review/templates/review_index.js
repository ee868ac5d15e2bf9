"use strict";
// Filtering, and a walk by keyboard.
const rows = [...document.querySelectorAll("#cohort tbody tr")];
const find = document.getElementById("find");
const only = document.getElementById("only");

function filter() {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    const kept = !only.value || row.classList.contains(only.value);
    row.hidden = !(kept && words.every((word) => text.includes(word)));
    count += !row.hidden;
  }
  document.getElementById("none").hidden = count > 0;
  document.getElementById("shown").textContent = `${count} of ${rows.length} shown`;
}
find.addEventListener("input", filter);
only.addEventListener("change", filter);
filter();

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select")) return;
  if (event.key === "/") { event.preventDefault(); find.focus(); return; }
  if (event.key !== "j" && event.key !== "k") return;
  const links = rows.filter((row) => !row.hidden).map((row) => row.querySelector("a"));
  const at = links.indexOf(document.activeElement);
  const next = at < 0 ? 0 : at + (event.key === "j" ? 1 : -1);
  links[Math.max(0, Math.min(links.length - 1, next))]?.focus();
});
