// Makes a live part what it is to be without drawing it anew: what stays the same stays the same node, so that focus,
// reading position, selection and scrolling stay where they are. Children are known by data-key or id, others by their
// place among those of their kind. What a countdown shows is left to it, and whether details are open to who reads. Of parts with data-morph alone; a part hears
// `live:before` and `live:after`.
const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.dataset.key || node.id : "");

function attributes(from, to) {
  const hers = from.nodeName === "DETAILS" ? "open" : "";
  for (const { name } of [...from.attributes]) if (name !== hers && !to.hasAttribute(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes)
    if (name !== hers && from.getAttribute(name) !== value) from.setAttribute(name, value);
}

function update(from, to) {
  if (from.isEqualNode(to)) return;
  if (from.nodeType !== Node.ELEMENT_NODE) {
    from.nodeValue = to.nodeValue;
    return;
  }
  attributes(from, to);
  if (from.dataset.countdown === undefined) children(from, to);
}

function children(from, to) {
  const wanted = new Set([...to.childNodes].map(keyOf));
  const known = new Map([...from.children].filter(keyOf).map((child) => [keyOf(child), child]));
  let at = from.firstChild;
  for (const next of [...to.childNodes]) {
    while (at && keyOf(at) && !wanted.has(keyOf(at))) {
      const gone = at;
      at = at.nextSibling;
      gone.remove();
    }
    const key = keyOf(next);
    const same = key ? known.get(key) : at && !keyOf(at) ? at : null;
    if (!same || same.nodeName !== next.nodeName) {
      from.insertBefore(next, at);
      continue;
    }
    if (same === at) at = at.nextSibling;
    else from.insertBefore(same, at);
    update(same, next);
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

// `html` is what the inside of `region` is to be. Who had the focus keeps it; where that is gone, the part itself has it.
function morph(region, html) {
  const had = region.contains(document.activeElement) ? document.activeElement : null;
  const wanted = document.createElement("template");
  wanted.innerHTML = html;
  children(region, document.importNode(wanted.content, true));
  if (!had || had === document.activeElement) return;
  const again = had.isConnected ? had : had.id ? document.getElementById(had.id) : null;
  (again ?? region).focus({ preventScroll: true });
}

document.addEventListener("live:swap", (event) => {
  const region = event.target;
  if (region.dataset.morph === undefined) return;
  event.preventDefault();
  region.dispatchEvent(new CustomEvent("live:before"));
  morph(region, event.detail);
  region.dispatchEvent(new CustomEvent("live:after"));
});
