// Tells while a person types what follows from a date, and where letters are not Latin. The services check it again.
for (const note of document.querySelectorAll("[data-note-of]")) {
  const field = document.getElementById(note.dataset.noteOf);
  if (!field) continue;
  const look = () => {
    const day = field.value;
    const { before, after } = note.dataset;
    note.hidden = !day || !((before && day < before) || (after && day > after));
  };
  field.addEventListener("input", look);
  field.addEventListener("change", look);
  look();
}
