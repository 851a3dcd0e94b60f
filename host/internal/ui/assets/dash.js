// On top of pages that work without it: buttons are pressed once, and a page is
// not exchanged for its newer self while somebody is at work in it.
"use strict";
document.addEventListener("submit", (e) => {
  if (!e.target.matches("[data-once]")) return;
  if (e.target.dataset.sent) { e.preventDefault(); return; }
  e.target.dataset.sent = "1";
  for (const b of e.target.querySelectorAll("button")) b.setAttribute("aria-disabled", "true");
});
window.addEventListener("pageshow", () => {
  for (const f of document.querySelectorAll("form[data-sent]")) {
    delete f.dataset.sent;
    for (const b of f.querySelectorAll("button")) b.removeAttribute("aria-disabled");
  }
});
const atWork = (live) => document.hidden || live.contains(document.activeElement) || live.querySelector("details[open], form[data-sent]") || String(window.getSelection());
for (const name of ["htmx:beforeRequest", "htmx:beforeSwap"]) {
  document.addEventListener(name, (e) => {
    const live = e.target.closest && e.target.closest("[data-live]");
    if (live && live === e.target && atWork(live)) e.preventDefault();
  });
}
document.addEventListener("click", (e) => {
  const back = e.target.closest("[data-back]");
  if (back && window.history.length > 1) { e.preventDefault(); window.history.back(); }
  const copy = e.target.closest("[data-copy]");
  if (copy) {
    const field = document.getElementById(copy.dataset.copy);
    field.select();
    const told = document.getElementById("copied");
    navigator.clipboard.writeText(field.value).then(() => { told.textContent = "Copied."; }, () => { told.textContent = "Press Ctrl+C to copy it."; });
  }
});
