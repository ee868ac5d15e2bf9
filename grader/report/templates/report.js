"use strict";
// A link into a closed fold opens it; a click on a line's number makes its link.
function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  target.scrollIntoView();
}
addEventListener("hashchange", reveal);
reveal();
document.addEventListener("click", (event) => {
  const number = event.target.closest(".listing .ln");
  if (number) location.hash = number.parentElement.id;
});
// On paper nothing can be unfolded: what fails is printed whole.
addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll("details.check.fail, details.check.error")) fold.open = true;
});
