// Signing on a canvas, as lines of whole points on the canvas's own field; and photos made small enough to travel from a
// cellar.
const LONGEST_SIDE = 2048;
const MOST_POINTS = 4500;
const MOST_STROKES = 190;

export function signing(pad) {
  const strokes = [];
  const pen = pad.getContext("2d");
  let stroke = null;
  const points = () => strokes.reduce((sum, each) => sum + each.length / 2, 0);

  function at(event) {
    const box = pad.getBoundingClientRect();
    const along = (part, whole, side) => Math.max(0, Math.min(side, Math.round((part / whole) * side)));
    return [along(event.clientX - box.left, box.width, pad.width), along(event.clientY - box.top, box.height, pad.height)];
  }

  pad.addEventListener("pointerdown", (event) => {
    if (strokes.length >= MOST_STROKES || points() >= MOST_POINTS) return;
    event.preventDefault();
    pad.setPointerCapture(event.pointerId);
    stroke = at(event);
    strokes.push(stroke);
  });
  pad.addEventListener("pointermove", (event) => {
    if (!stroke || points() >= MOST_POINTS) return;
    const [x, y] = at(event);
    const [before, above] = stroke.slice(-2);
    if (Math.abs(x - before) + Math.abs(y - above) < 3) return;
    stroke.push(x, y);
    pen.lineWidth = 5;
    pen.lineCap = pen.lineJoin = "round";
    pen.strokeStyle = getComputedStyle(pad).color;
    pen.beginPath();
    pen.moveTo(before, above);
    pen.lineTo(x, y);
    pen.stroke();
  });
  for (const end of ["pointerup", "pointercancel"]) pad.addEventListener(end, () => (stroke = null));

  return {
    lines: () => strokes.filter((each) => each.length >= 4),
    wipe() {
      strokes.length = 0;
      pen.clearRect(0, 0, pad.width, pad.height);
    },
  };
}

// The photo with what is beside it (where and when it was taken) left out; null where it is no picture that can be read.
export async function smaller(file) {
  try {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    return await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.86));
  } catch {
    return null;
  }
}
