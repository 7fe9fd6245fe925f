// On every page of the desk: what escort workers' pages keep on this device is forgotten by a page of another member
// (outbox.js sees to that once it is loaded), and when somebody signs out. What is not sent yet is asked about first.
import { all, forget } from "./outbox.js";

const LEAVES = ["/desk/sign-out", "/desk/sign-out-everywhere"];

document.addEventListener(
  "submit",
  async (event) => {
    const form = event.target;
    if (form.dataset.forgotten || !LEAVES.includes(new URL(form.action).pathname)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const unsent = (await all().catch(() => [])).filter((deed) => deed.state !== "sent").length;
    const words = document.querySelector("meta[name=desk-member]").dataset;
    const question = unsent === 1 ? words.leaveOne : words.leave;
    if (unsent && !confirm(question.replace("{number}", unsent))) return;
    await forget().catch(() => {});
    form.dataset.forgotten = "yes";
    form.requestSubmit(event.submitter);
  },
  { capture: true },
);
