// Screenshots of every page and state: artefacts to be looked at, in tests/browser/shots. `index.html` beside them shows
// them all, each state in a row of its looks, and is written anew when a file of tests ends.
import { mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

const folder = join(new URL(".", import.meta.url).pathname, "shots");
mkdirSync(folder, { recursive: true });

export const sizes = {
  phone: { width: 390, height: 844 },
  small: { width: 320, height: 640 },
  pc: { width: 1280, height: 800 },
};

const sessions = new WeakMap();

/// What speaks to the page's renderer itself.
export async function renderer(page) {
  if (!sessions.has(page)) sessions.set(page, await page.context().newCDPSession(page));
  return sessions.get(page);
}

/// The whole page as it is now, as `shots/NAME.png`. Asked of the renderer itself: it packs pictures quickly rather than
/// tightly, which is half of the time that they take.
export async function shoot(page, name) {
  const session = await renderer(page);
  const { cssContentSize } = await session.send("Page.getLayoutMetrics");
  const { width, height } = cssContentSize;
  const { data } = await session.send("Page.captureScreenshot", {
    format: "png",
    optimizeForSpeed: true,
    captureBeyondViewport: true,
    clip: { x: 0, y: 0, width: Math.ceil(width), height: Math.ceil(height), scale: 1 },
  });
  await writeFile(join(folder, `${name}.png`), Buffer.from(data, "base64"));
}

const LOOKS = ["phone-light", "phone-dark", "pc-light", "pc-dark"];

/// The contact sheet: a row for each state and language, a column for each look; what has one look only stands below.
function sheet(files) {
  const rows = new Map();
  const alone = [];
  for (const file of files) {
    const [, state, language, look] = /^(.+)-(en-US|ar-IQ)-((?:phone|pc)-(?:light|dark))\.png$/.exec(file) ?? [];
    if (!state) alone.push(file);
    else rows.set(`${state} ${language}`, { ...rows.get(`${state} ${language}`), [look]: file });
  }
  const picture = (file) => `<a href="${file}"><img src="${file}" alt="${file}" loading="lazy"></a>`;
  const row = ([name, looks]) =>
    `<section class="${name.split(" ")[1]}"><h2>${name}</h2>${LOOKS.map((look) => (looks[look] ? `<figure class="${look.replace("-", " ")}">${picture(looks[look])}<figcaption>${look}</figcaption></figure>` : "")).join("")}</section>`;
  const choice = (name) => `<label><input type="checkbox" id="${name}" checked> ${name}</label>`;
  const hide = (name) => `body:has(#${name}:not(:checked)) .${name} { display: none }`;
  const choices = ["en-US", "ar-IQ", "phone", "pc", "light", "dark"];
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Every page and state</title><style>
body { margin: 1rem; font: 15px system-ui; background: #777; color: #fff }
nav { position: sticky; top: 0; display: flex; gap: 1rem; padding: .5rem; background: #333; z-index: 1 }
section { display: flex; flex-wrap: wrap; gap: .5rem; align-items: start; margin-block-end: 1.5rem }
h2 { flex: 1 0 100%; font-size: 1rem; margin: 0 } figure { margin: 0 } img { display: block; max-inline-size: 100% }
.phone img { inline-size: 390px } .pc img { inline-size: 800px }
${choices.map(hide).join("\n")}
</style><nav>${choices.map(choice).join("")}<span>${files.length} pictures</span></nav>
${[...rows].sort().map(row).join("\n")}
<section><h2>other</h2>${alone.map((file) => `<figure>${picture(file)}<figcaption>${file}</figcaption></figure>`).join("")}</section></html>`;
}

// Files of tests run beside each other: each writes what is there when it ends, the last one everything.
process.once("exit", () => {
  const files = readdirSync(folder).filter((file) => file.endsWith(".png")).sort();
  const draft = join(folder, `index-${process.pid}.html`);
  writeFileSync(draft, sheet(files));
  renameSync(draft, join(folder, "index.html"));
});
