// The basket of this shop: it counts.
const basket = document.querySelector("#basket");
const buy = document.querySelector(".buy");
let count = Number(sessionStorage.getItem("basket") ?? 0);

function show() {
  basket.textContent = count ? `Basket (${count})` : "Basket";
  buy.textContent = count ? "In your basket. Add one more" : "Put in basket";
}

buy.addEventListener("click", () => {
  sessionStorage.setItem("basket", ++count);
  show();
});
show();
