// Clocks that run down: <span data-countdown data-left="582" data-total="600" data-ring="#hold-ring"
// data-minutes="{m} min {s} s" data-seconds="{s} s" data-over="reload">. The seconds left come from the server, so a wrong
// clock in the reader's device does no harm. `data-over`: `reload` loads the page anew, `enable:#id` frees a button.
const running = new Map();

function start(clock) {
  if (!running.has(clock)) running.set(clock, Date.now() + Number(clock.dataset.left) * 1000);
}

function words(clock, left) {
  if (clock.dataset.whole) return clock.dataset.whole.replace("{s}", left); // seconds alone, however many
  const minutes = Math.floor(left / 60);
  const pattern = minutes ? clock.dataset.minutes : clock.dataset.seconds;
  return pattern.replace("{m}", minutes).replace("{s}", left % 60);
}

function over(clock) {
  running.delete(clock);
  const [what, target] = (clock.dataset.over || "").split(":");
  if (what === "reload") location.reload();
  if (what === "enable") {
    const button = document.querySelector(target);
    if (button) button.disabled = false;
    clock.closest("[data-countdown-line]")?.setAttribute("hidden", "");
  }
}

function tick() {
  for (const clock of document.querySelectorAll("[data-countdown]")) start(clock);
  for (const [clock, end] of running) {
    if (!clock.isConnected) {
      running.delete(clock);
      continue;
    }
    const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    clock.textContent = words(clock, left);
    const ring = clock.dataset.ring && document.querySelector(`${clock.dataset.ring} .fill`);
    if (ring) ring.setAttribute("stroke-dasharray", `${(100 * left) / Number(clock.dataset.total)} 200`);
    if (left === 0) over(clock);
  }
}

setInterval(tick, 1000);
window.addEventListener("pageshow", tick);
tick();
