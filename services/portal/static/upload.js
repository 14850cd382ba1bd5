// A file that is too large is told before it is sent. The server checks it again.
const { limit, tooLarge } = document.body.dataset;
for (const input of document.querySelectorAll("input[type=file]")) {
  input.addEventListener("change", () => {
    const file = input.files[0];
    input.setCustomValidity(file && file.size > Number(limit) ? tooLarge : "");
    input.reportValidity();
  });
  input.form.addEventListener("submit", (event) => {
    if (!input.reportValidity()) event.preventDefault();
  }, { capture: true });
}
