// Keys for what officers do all day. Single keys work only outside of fields, and can be switched off (WCAG 2.1.4).
const dialog = document.getElementById("keys");
const off = document.getElementById("keys-off");
const opener = document.getElementById("keys-open");
const rows = () => [...document.querySelectorAll("[data-rows] tbody tr")];
const keyed = () => [...document.querySelectorAll("main [data-key]")].filter((element) => element.checkVisibility());
const list = dialog.querySelector("ul");
let row = -1;
let before = "";

function isOff() {
  try { return localStorage.getItem("keys") === "off"; } catch { return false; }
}
function mark(next) {
  const all = rows();
  if (!all.length) return;
  row = Math.max(0, Math.min(all.length - 1, next));
  for (const each of all) each.removeAttribute("aria-selected");
  all[row].setAttribute("aria-selected", "true");
  (all[row].querySelector("a") ?? all[row]).focus();
}
function present() {
  const focused = rows().findIndex((each) => each.contains(document.activeElement));
  return focused >= 0 ? focused : row;
}
function describe() {
  for (const added of list.querySelectorAll("[data-added]")) added.remove();
  for (const item of list.querySelectorAll("[data-rows-key]")) item.hidden = !rows().length;
  for (const element of keyed()) {
    const item = document.createElement("li");
    const key = document.createElement("kbd");
    key.textContent = element.dataset.key;
    item.dataset.added = "";
    item.append(key, " ", element.title || element.textContent.trim());
    list.append(item);
  }
}
function use(element) {
  if (element.matches("input, select, textarea")) return element.focus();
  if (element.tagName === "SUMMARY") {
    element.parentElement.open = true;
    element.parentElement.querySelector("input:not([type=hidden]), textarea")?.focus();
    return;
  }
  element.click();
}
function show() {
  describe();
  off.checked = isOff();
  dialog.showModal();
}
// On a Khmer keyboard the place of a key counts, not its letter.
function keyOf({ key, code, shiftKey }) {
  if (/^[ -~]/.test(key)) return key;
  if (code === "Slash") return shiftKey ? "?" : "/";
  return /^Key[A-Z]$/.test(code) ? code.slice(3).toLowerCase() : key;
}
function act(event) {
  const key = keyOf(event);
  const typed = before ? `${before} ${key}` : key;
  before = "";
  if (typed === "?") return show();
  if (typed === "g") { before = "g"; setTimeout(() => { before = ""; }, 1500); return; }
  const away = dialog.querySelector(`[data-go="${CSS.escape(typed)}"]`);
  if (away) { location.href = away.dataset.address; return; }
  if (typed === "j") return mark(present() + 1);
  if (typed === "k") return mark(present() - 1);
  if (typed === "x") return rows()[present()]?.querySelector("[type=checkbox]")?.click();
  const found = keyed().find((element) => element.dataset.key === typed);
  if (!found) return false;
  use(found);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isOff() || dialog.open || event.isComposing) return;
  if (event.target.matches("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "Enter" || act(event) === false) return;
  event.preventDefault();
});
off.addEventListener("change", () => {
  try { localStorage.setItem("keys", off.checked ? "off" : "on"); } catch { /* without storage the keys stay on */ }
});
opener.hidden = false;
opener.addEventListener("click", show);
