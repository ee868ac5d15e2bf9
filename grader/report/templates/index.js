"use strict";
// Sorting and filtering of the table; without script it stands in its first order.
const body = document.querySelector("#cohort tbody");
const rows = [...body.rows];
const find = document.getElementById("find");
const only = document.getElementById("only");

function compare(column, number, sign) {
  const key = (row) => row.cells[column].dataset.sort;
  return (a, b) => {
    const [x, y] = [key(a), key(b)];
    if (x === "" || y === "") return (x === "") - (y === "");  // unknown stands last, either way
    return sign * (number ? x - y : x.localeCompare(y, undefined, { numeric: true }));
  };
}

const headers = [...document.querySelectorAll("#cohort thead th")];
headers.forEach((header, column) => {
  header.querySelector("button").addEventListener("click", () => {
    const number = header.dataset.kind === "number";
    const before = header.getAttribute("aria-sort");
    const next = before ? (before === "ascending" ? "descending" : "ascending")
      : (number ? "descending" : "ascending");
    headers.forEach((other) => other.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", next);
    rows.sort(compare(column, number, next === "ascending" ? 1 : -1));
    body.append(...rows);
  });
});

function matches(row, words) {
  const choice = only.value;
  const kept = choice.startsWith("band:") ? row.dataset.band === choice.slice(5)
    : !choice || row.classList.contains(choice);
  const text = row.textContent.toLowerCase();
  return kept && words.every((word) => text.includes(word));
}

function filter() {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const row of rows) {
    row.hidden = !matches(row, words);
    count += !row.hidden;
  }
  document.getElementById("none").hidden = count > 0;
  document.getElementById("shown").textContent = `${count} of ${rows.length} shown`;
}

find.addEventListener("input", filter);
only.addEventListener("change", filter);
document.getElementById("tools").hidden = rows.length === 0;
filter();
