// A certificate's page shows a new step as soon as it is added, and copies its own address.
const { events, page } = document.body.dataset;
const live = document.getElementById("live");
const copy = document.getElementById("copy");

async function refresh() {
  const answer = await fetch(page, { headers: { accept: "text/html" }, cache: "no-cache" });
  if (!answer.ok) return;
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live][id]")) {
    const other = next.getElementById(part.id);
    if (other && !part.contains(document.activeElement)) part.replaceWith(other);
  }
  live.textContent = live.dataset.new;
}
const source = new EventSource(events);
let waiting;
source.addEventListener("open", () => { live.hidden = false; });
source.addEventListener("step", () => { clearTimeout(waiting); waiting = setTimeout(refresh, 150); });
source.addEventListener("error", () => { if (source.readyState === EventSource.CLOSED) live.hidden = true; });

if (navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById("link").href);
    copy.textContent = copy.dataset.done;
  });
}
