// A passkey answers a challenge of the page, and the form sends the answer. Without this script a code does the same.
const supported = window.PublicKeyCredential?.parseRequestOptionsFromJSON;
for (const part of document.querySelectorAll("[data-passkey]")) {
  if (!supported) continue;
  const { passkey: act, options, field } = part.dataset;
  const form = part.closest("form");
  const failed = part.querySelector(".error");
  part.hidden = false;
  for (const other of form.querySelectorAll("[data-without-script]")) other.hidden = true;
  part.querySelector("button").addEventListener("click", async () => {
    failed.hidden = true;
    try {
      const given = JSON.parse(options);
      const publicKey = act === "create"
        ? PublicKeyCredential.parseCreationOptionsFromJSON(given)
        : PublicKeyCredential.parseRequestOptionsFromJSON(given);
      const answer = await navigator.credentials[act]({ publicKey });
      form.elements[field].value = JSON.stringify(answer.toJSON());
      form.requestSubmit();
    } catch {
      failed.hidden = false;
      failed.focus();
    }
  });
}
