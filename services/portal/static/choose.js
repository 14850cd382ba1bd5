// Tells how many rows are chosen. While some are, the table is not refreshed, so that no choice is lost.
const live = document.getElementById("queue-rows");

function count() {
  const rows = document.getElementById("queue-rows");
  const chosen = rows.querySelectorAll("[name=chosen]:checked").length;
  const told = rows.querySelector("[data-chosen]");
  if (told) told.textContent = chosen ? told.dataset.chosen.replace("#", chosen) : "";
  rows.toggleAttribute("data-live", chosen === 0);
}
if (live) {
  document.addEventListener("change", count);
  count();
}
