// The nearest places first. The device is asked where it is after a tap, and never by itself; what it says is rounded to
// about a hundred metres, stays in this page, and goes with each request for the list in a header, in no address.
const LIST = new URL(document.getElementById("finder").action).pathname;
let near = "";

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-nearest]");
  if (!button) return;
  if (near) return sortByDistance(button);
  if (!navigator.geolocation) return say(button.dataset.unavailable);
  say(button.dataset.asking);
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      near = `${coords.latitude.toFixed(3)},${coords.longitude.toFixed(3)}`;
      sortByDistance(document.querySelector("[data-nearest]"));
    },
    (problem) => say(problem.code === problem.PERMISSION_DENIED ? button.dataset.refused : button.dataset.unavailable),
    { timeout: 10000, maximumAge: 300000 },
  );
});

function sortByDistance(button) {
  const order = document.getElementById("sort");
  if (!button || !order) return;
  if (![...order.options].some(({ value }) => value === "nearest")) order.add(new Option(button.dataset.label, "nearest"));
  order.value = "nearest";
  order.form.requestSubmit();
}

function say(words) {
  const place = document.getElementById("nearest-said");
  if (place) place.textContent = words;
}

document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (near && new URL(detail.path, location.href).pathname === LIST) detail.headers.Near = near;
});
