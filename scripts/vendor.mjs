// Copies what the pages serve out of node_modules into marketplace/web/static/vendor:
// htmx and jsQR with their licences, and one SVG sprite that holds only the icons the templates and view models name; and ical.js
// into tests/vendored.
// Run it after `npm ci`, and again whenever a page names a new icon; the result is committed.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const web = join(root, "marketplace", "web");
const catalog = join(root, "marketplace", "catalog");
const target = join(web, "static", "vendor");
const modules = join(root, "node_modules");

/** Every file below `folder` whose name ends with one of `endings`. */
function* files(folder, endings) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path, endings);
    else if (endings.some((ending) => entry.name.endsWith(ending))) yield path;
  }
}

/** Names written as icon("name"), icon="name" or drawing="name", in templates and in Python; a kind of benefit names its own. */
function usedIcons() {
  const named = new Set();
  for (const path of [...files(web, [".html", ".py"]), ...files(catalog, [".py"])]) {
    for (const match of readFileSync(path, "utf8").matchAll(/(?:\b|_)(?:icon|drawing)(?:: str)?\s*[(=]\s*["']([a-z0-9-]+)["']/g)) named.add(match[1]);
  }
  return [...named].sort();
}

/** The drawing of one Lucide icon, without its outer element and comment. */
function drawing(name) {
  const source = readFileSync(join(modules, "lucide-static", "icons", `${name}.svg`), "utf8");
  return source.slice(source.indexOf(">", source.indexOf("<svg")) + 1, source.lastIndexOf("</svg>")).replace(/\s+/g, " ").trim();
}

mkdirSync(target, { recursive: true });
copyFileSync(join(modules, "htmx.org", "dist", "htmx.min.js"), join(target, "htmx.min.js"));
copyFileSync(join(modules, "htmx.org", "LICENSE"), join(target, "htmx.LICENSE.txt"));
copyFileSync(join(modules, "jsqr", "dist", "jsQR.js"), join(target, "jsQR.js"));
copyFileSync(join(modules, "jsqr", "LICENSE"), join(target, "jsQR.LICENSE.txt"));
copyFileSync(join(modules, "lucide-static", "LICENSE"), join(target, "icons.LICENSE.txt"));

// What only tests need: the second reader of our calendars.
const tested = join(root, "tests", "vendored");
mkdirSync(tested, { recursive: true });
copyFileSync(join(modules, "ical.js", "dist", "ical.es5.min.cjs"), join(tested, "ical.es5.min.cjs"));
copyFileSync(join(modules, "ical.js", "LICENSE"), join(tested, "ical.LICENSE.txt"));

const names = usedIcons();
const symbols = names.map((name) => `  <symbol id="${name}" viewBox="0 0 24 24">${drawing(name)}</symbol>`);
writeFileSync(
  join(target, "icons.svg"),
  `<svg xmlns="http://www.w3.org/2000/svg">\n  <!-- icons: Lucide, ISC licence, see icons.LICENSE.txt -->\n${symbols.join("\n")}\n</svg>\n`,
);
console.log(`vendored htmx, jsQR and ${names.length} icons`);
