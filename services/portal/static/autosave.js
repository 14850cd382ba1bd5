// Saves a form while a person types, and tells when it was saved. Without this script each button saves.
const form = document.querySelector("form[data-autosave]");
if (form) {
  const told = form.querySelector("[data-saved]");
  const version = form.elements.namedItem("version");
  let waiting, running, changed = false, stopped = false;

  function tell(sentence, address, text) {
    told.textContent = sentence;
    if (!address) return;
    const link = document.createElement("a");
    link.href = address;
    link.textContent = text;
    told.append(" ", link);
  }

  async function save() {
    changed = false;
    const body = new URLSearchParams(new FormData(form));
    body.set("then", "save");
    try {
      const keepalive = String(body).length < 60000; // the most that a browser sends after the page is left
      const answer = await fetch(form.action, { method: "POST", body, headers: { accept: "application/json" }, keepalive });
      if (answer.redirected) {
        stopped = true;
        return tell(form.dataset.signedOut, answer.url, form.dataset.signIn);
      }
      const said = await answer.json();
      if (said.version) version.value = said.version;
      tell(said.sentence, said.conflict ? form.action : "", form.dataset.reload);
      stopped = Boolean(said.conflict);
    } catch {
      changed = true;
      tell(form.dataset.waiting);
      later(10000);
    }
  }

  function later(delay) {
    clearTimeout(waiting);
    if (!stopped) waiting = setTimeout(() => { running = save().finally(() => { running = undefined; if (changed) later(1500); }); }, delay);
  }

  form.addEventListener("input", (event) => {
    if (event.target.name === "search") return;
    changed = true;
    if (!running) later(1500);
  });

  // A person who leaves within the pause loses nothing.
  addEventListener("pagehide", () => {
    clearTimeout(waiting);
    if (changed && !stopped) save();
  });

  // A saving that is under way ends first: it changes the version that the form sends.
  document.addEventListener("submit", (event) => {
    if (event.target !== form) return;
    clearTimeout(waiting);
    if (!running) {
      changed = false;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    const button = event.submitter;
    running.finally(() => { clearTimeout(waiting); form.requestSubmit(button); });
  }, true);
}
