// Choosing a product fills in its HS code; choosing a consignee fills in address and destination.
for (const choice of document.querySelectorAll("select[data-product]")) {
  const code = document.getElementById(choice.id.replace("product-id", "hs-code"));
  let filled = choice.selectedOptions[0]?.dataset.hs ?? "";
  choice.addEventListener("change", () => {
    const hs = choice.selectedOptions[0]?.dataset.hs ?? "";
    if (code && (!code.value || code.value === filled)) code.value = hs;
    filled = hs;
  });
}
const name = document.querySelector("input[list=consignees]");
if (name) {
  const address = document.getElementById("f-consignment-consignee-address");
  const destination = document.getElementById("f-consignment-destination");
  name.addEventListener("change", () => {
    const known = [...document.querySelectorAll("#consignees option")].find((option) => option.value === name.value);
    if (!known) return;
    if (!address.value) address.value = known.dataset.address;
    if (!destination.value) destination.value = known.dataset.destination;
    address.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
