// Finds HS codes while a person types a code or words in a field. Without this script the link below the field finds them.
for (const list of document.querySelectorAll("[data-codes-for]")) {
  const field = document.getElementById(list.dataset.codesFor);
  if (!field) continue;
  let waiting, wanted = "";

  function choose(code) {
    field.value = code;
    list.replaceChildren();
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function show(lines, typed) {
    list.replaceChildren(...lines.slice(0, 8).map((line) => {
      const entry = document.createElement("li");
      const button = document.createElement("button");
      const code = document.createElement("strong");
      button.type = "button";
      button.className = "plain";
      button.disabled = line.code.length < 6;
      code.textContent = line.code;
      button.append(code, ` ${line.text}`);
      button.addEventListener("click", () => choose(typed.startsWith(line.code) ? typed : line.code));
      entry.append(button);
      return entry;
    }));
  }

  async function find() {
    const typed = wanted = field.value.trim();
    if (typed.length < 2) return show([], typed);
    try {
      const headers = { accept: "application/json" };
      const answer = await fetch(`/portal/nomenclature?search=${encodeURIComponent(typed.slice(0, 100))}`, { headers });
      const { lines } = answer.ok && !answer.redirected ? await answer.json() : { lines: [] };
      if (typed === wanted) show(lines, typed);
    } catch {
      show([], typed);
    }
  }

  field.addEventListener("input", (event) => {
    if (!event.isTrusted) return; // the field was filled in by choosing a line
    clearTimeout(waiting);
    waiting = setTimeout(find, 150);
  });
}
