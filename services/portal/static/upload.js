// A file that is too large is told before it is sent. The server checks it again.
const LIMIT = 5 * 1024 * 1024;
for (const input of document.querySelectorAll("input[type=file]")) {
  input.addEventListener("change", () => {
    const file = input.files[0];
    const size = file && file.size > LIMIT ? `${(file.size / 1048576).toFixed(1)} MB > 5 MB` : "";
    input.setCustomValidity(size);
    input.reportValidity();
  });
}
