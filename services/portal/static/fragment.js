// The token of a link stands after #, so that no web server logs it. It goes into its field, and out of the address.
const field = document.getElementById("f-token");
const token = location.hash.slice(1);
if (field && /^[A-Za-z0-9_-]{43}$/.test(token)) {
  field.value = token;
  history.replaceState(null, "", location.pathname);
}
