// A live page fetches itself again when something on it has changed, and replaces the parts marked with data-live.
const body = document.body;
const query = new URLSearchParams();
if (body.dataset.ids) query.set("ids", body.dataset.ids);
if (body.dataset.office) query.set("office", body.dataset.office);

async function refresh() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live][id]")) {
    const other = next.getElementById(part.id);
    if (other && !part.contains(document.activeElement)) part.replaceWith(other);
  }
}
if ([...query].length) {
  let source, waiting;
  const listen = () => {
    source = new EventSource(`/portal/changes?${query}`);
    source.addEventListener("changed", () => { clearTimeout(waiting); waiting = setTimeout(refresh, 150); });
  };
  // a hidden page closes its connection: a browser opens only six to one host
  document.addEventListener("visibilitychange", () => {
    source?.close();
    if (!document.hidden) { listen(); refresh(); }
  });
  if (!document.hidden) listen();
}
