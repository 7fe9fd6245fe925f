// Checking in at the desk: the camera's picture is looked through for a QR code, by the browser's own reader where
// it has one, else by jsQR. What is read is sent by the form that is there for typing. No picture leaves the page.
const panel = document.getElementById("scan");
const form = document.getElementById("check-in");
const video = panel?.querySelector("video");
const says = panel?.querySelector("[data-scan-says]");
const start = panel?.querySelector("[data-scan-start]");
const EVERY = 150; // milliseconds between two looks
const WIDEST = 640; // pixels that a look goes through: enough for a code that fills a third of the picture

function say(what) {
  says.textContent = says.dataset[what] ?? "";
}

async function ownReader() {
  if (!("BarcodeDetector" in window)) return null;
  try {
    if (!(await BarcodeDetector.getSupportedFormats()).includes("qr_code")) return null;
    const reader = new BarcodeDetector({ formats: ["qr_code"] });
    return async () => (await reader.detect(video))[0]?.rawValue;
  } catch {
    return null; // it is named, and does not work here
  }
}

function load(address) {
  return new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = done;
    script.onerror = failed;
    document.head.append(script);
  });
}

async function vendoredReader() {
  if (!window.jsQR) await load(panel.dataset.decoder);
  const canvas = document.createElement("canvas");
  const drawing = canvas.getContext("2d", { willReadFrequently: true });
  return async () => {
    const scale = Math.min(1, WIDEST / video.videoWidth);
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    drawing.drawImage(video, 0, 0, canvas.width, canvas.height);
    const picture = drawing.getImageData(0, 0, canvas.width, canvas.height);
    return window.jsQR(picture.data, picture.width, picture.height, { inversionAttempts: "dontInvert" })?.data;
  };
}

function stop() {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  video.srcObject = null;
  video.hidden = true;
}

async function look(reader) {
  if (!video.srcObject) return;
  let read = "";
  if (video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && video.videoWidth) read = await reader().catch(() => "");
  // The code that has just been checked in is still before the camera when the page is ready again.
  if (read && read !== sessionStorage.getItem("scanned") && read.length <= form.elements.code.maxLength) {
    stop();
    sessionStorage.setItem("scanned", read);
    say("read");
    form.elements.code.value = read;
    form.requestSubmit();
    return;
  }
  setTimeout(look, EVERY, reader);
}

async function begin() {
  start.hidden = true;
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
    video.hidden = false; // before, it would be an empty box over the field for typing
    sessionStorage.setItem("scan", "on"); // the next person's page begins by itself
    await video.play();
  } catch (refused) {
    stop();
    say(refused.name === "NotAllowedError" ? "denied" : "none");
    start.hidden = false;
    return;
  }
  say("looking");
  look((await ownReader()) ?? (await vendoredReader()));
}

if (panel && navigator.mediaDevices?.getUserMedia) {
  const refused = form.querySelector("[aria-invalid=true]");
  if (refused) sessionStorage.removeItem("scanned"); // so that it can be tried again
  panel.hidden = false;
  start.addEventListener("click", begin);
  window.addEventListener("pagehide", stop);
  if (sessionStorage.getItem("scan") === "on" && !refused) begin();
}
