// The questions are filtered while one types. Without this script the form asks the server.
const field = document.getElementById("q");
const found = document.getElementById("found");
const questions = [...document.querySelectorAll("details")];
const plain = (text) => text.normalize("NFKC").toLowerCase();
const texts = new Map(questions.map((each) => [each, plain(each.textContent)]));

function filter() {
  const words = plain(field.value).split(/\s+/).filter(Boolean);
  let count = 0;
  for (const each of questions) {
    each.hidden = !words.every((word) => texts.get(each).includes(word));
    count += !each.hidden;
  }
  for (const section of document.querySelectorAll("main section[aria-labelledby^=topic]")) {
    section.hidden = !section.querySelector("details:not([hidden])");
  }
  found.textContent = count ? (words.length ? String(count) : "") : found.dataset.none;
}
if (!new URLSearchParams(location.search).get("q")) field.addEventListener("input", filter);
