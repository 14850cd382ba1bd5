// Says before the form is sent that the slip does not have the amount that is owed.
const amount = document.getElementById("f-amount-khr");
const told = document.getElementById("slip-difference");

function compare() {
  const typed = amount.value.replace(/[\s,]/g, "");
  const difference = /^\d+$/.test(typed) ? Number(typed) - Number(told.dataset.owed) : 0;
  told.textContent = difference < 0 ? told.dataset.less : difference > 0 ? told.dataset.more : "";
}
if (amount && told) amount.addEventListener("input", compare);
