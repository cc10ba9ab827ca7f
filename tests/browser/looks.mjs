// How a page is looked at: by axe, by its width, by what can be reached on it; and a picture of each look is kept.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import assert from "node:assert/strict";
import { renderer, shoot, sizes } from "./shots.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// Of many messages on the wire, which are all drawn alike, the first three are looked into.
const ALIKE = "details.exchange ~ details.exchange ~ details.exchange ~ details.exchange";

/// No violation of any rule that axe knows; contrast included.
export async function accessible(page, name, only) {
  // The page's own policy allows no foreign script: the check is put in from outside.
  if (!(await page.evaluate("typeof axe === 'object'"))) await page.evaluate(axe);
  const found = await page.evaluate(`axe.run({ exclude: ["${ALIKE}"] }, { resultTypes: ["violations"], preload: false${only ? `, runOnly: ["${only}"]` : ""} })`);
  assert.ok(found.passes.length > (only ? 0 : 10), `${name}: axe has looked`);
  const said = found.violations.map((rule) => `${rule.id}: ${rule.nodes.map((node) => node.html).join(" | ")}`);
  assert.deepEqual(said, [], `${name}: axe`);
}

/// A page in one language as it stands. On a phone and on a PC, light and dark: axe finds nothing, nothing is wider than
/// the window, and a picture is kept. At 200 % and at 320 px: everything is there and can be reached.
export async function look(page, name, language) {
  assert.equal(await page.getAttribute("html", "lang"), language, name);
  assert.equal(await page.getAttribute("html", "dir"), language === "ar-IQ" ? "rtl" : "ltr", name);
  const before = page.viewportSize();
  for (const [size, schemes] of [["phone", ["light", "dark"]], ["pc", ["dark", "light"]]]) {
    await page.setViewportSize(sizes[size]);
    await sized(page, sizes[size]);
    for (const colorScheme of schemes) {
      await page.emulateMedia({ colorScheme });
      const full = `${name}-${language}-${size}-${colorScheme}`;
      await shoot(page, full);
      await fits(page, full);
      // Between light and dark only colours change.
      await accessible(page, full, (size === "phone") === (colorScheme === "light") ? undefined : "color-contrast");
    }
  }
  await zoomed(page, `${name}-${language}`);
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize(before);
}

/// `look` in both languages, of a page that keeps its state when the language is switched. Ends in the one it began in.
export async function lookTwice(page, name) {
  const first = await page.getAttribute("html", "lang");
  for (const language of [first, first === "en-US" ? "ar-IQ" : "en-US"]) {
    await look(page, name, language);
    await Promise.all([page.waitForEvent("load"), page.click("a.switch")]);
  }
}

/// Nothing runs out of the side of the page.
export async function fits(page, name) {
  const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= window, `${name}: ${wide} px wide in ${window}`);
}

/// The page at 200 % (a window of 1280 by 800 is then one of 640 by 400, with two dots for each px), and where it is
/// narrowest, at 320 px: with every fold open nothing is out of the side, cut or covered, and every control can be reached.
export async function zoomed(page, name) {
  const session = await renderer(page);
  await page.setViewportSize({ width: 640, height: 400 });
  await session.send("Emulation.setDeviceMetricsOverride", { width: 640, height: 400, deviceScaleFactor: 2, mobile: false });
  await sized(page, { width: 640 }, 2);
  await whole(page, `${name} at 200 %`);
  // The next size is set by the driver's own session, and holds only where this one has let go.
  await session.send("Emulation.clearDeviceMetricsOverride");
  await page.setViewportSize(sizes.small);
  await sized(page, sizes.small);
  await whole(page, `${name} at 320 px`);
}

/// The window is as wide as it was asked to be, dot for dot.
async function sized(page, { width }, dots = 1) {
  assert.deepEqual(await page.evaluate(() => [innerWidth, devicePixelRatio]), [width, dots], "the window");
}

/// Everything on the page, folds opened, is within its sides, whole, and uncovered.
export async function whole(page, name) {
  assert.deepEqual(await page.evaluate(faults, ALIKE), [], name);
}

// Runs in the page.
function faults(alike) {
  const found = [];
  const say = (what, element) => found.push(`${what}: ${element.outerHTML.slice(0, 160)}`);
  const folded = [...document.querySelectorAll("details:not([open])")].filter((fold) => !fold.closest(alike));
  for (const fold of folded) fold.open = true;
  const place = [scrollX, scrollY];

  if (document.documentElement.scrollWidth > innerWidth) found.push(`${document.documentElement.scrollWidth} px wide in ${innerWidth}`);

  const shown = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest(".visually-hidden, .skip, svg, option");
  const known = new Map([[document.body, false]]);
  const scrolls = (element) => {
    if (!known.has(element)) {
      const { overflowX, overflowY } = getComputedStyle(element);
      const here = /auto|scroll/.test(overflowX + overflowY) && (element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight);
      known.set(element, here || scrolls(element.parentElement));
    }
    return known.get(element);
  };

  // Words: within the sides, and nothing lies upon them.
  const lines = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || /^(SCRIPT|STYLE|NOSCRIPT|TEXTAREA)$/.test(element.tagName) || !shown(element)) continue;
    if (element.closest(".clip") || scrolls(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      if (box.width < 1) continue;
      if (box.left < -1 || box.right > innerWidth + 1) say("out of the side", element);
      lines.push({ element, x: (box.left + box.right) / 2 + scrollX, y: (box.top + box.bottom) / 2 + scrollY });
    }
  }
  for (let top = 0; top < document.documentElement.scrollHeight; top += innerHeight) {
    scrollTo(0, top);
    for (const { element, x, y } of lines) {
      const at = y - scrollY;
      // What lies upon words is above or below them in the tree, or is the thing that they name.
      if (at < 0 || at >= innerHeight || (y < top && top > 0)) continue;
      const upper = document.elementFromPoint(x - scrollX, at);
      if (upper && !upper.contains(element) && !element.contains(upper)) say(`covered by ${upper.tagName}.${upper.className}`, element);
    }
  }

  // Words have room for some letters in a line: they do not stand as a column of single ones.
  for (const { element } of lines) {
    let block = element;
    while (getComputedStyle(block).display.startsWith("inline")) block = block.parentElement;
    const letters = parseFloat(getComputedStyle(element).fontSize);
    if (element.textContent.trim().length > 8 && block.clientWidth < 3 * letters) say("squeezed", element);
  }

  // Words in a box of their own are not cut by it.
  for (const box of document.querySelectorAll("button, .button, label, summary, dd, dt, li, p, h1, h2, h3, .switch, .badge, td, th")) {
    if (shown(box) && !scrolls(box) && !box.querySelector(".clip, .visually-hidden") && box.clientWidth > 0 && box.scrollWidth > box.clientWidth + 1) say("cut", box);
  }

  // Controls: whatever is scrolled to can be pressed.
  for (const control of document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")) {
    if (!shown(control) || control.disabled) continue;
    control.scrollIntoView({ block: "center", inline: "nearest", behavior: "instant" });
    const [box] = control.getClientRects();
    if (!box) continue;
    const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
    const upper = document.elementFromPoint(x, y);
    if (!upper) say(`beyond the window (${Math.round(x)}, ${Math.round(y)})`, control);
    else if (!control.contains(upper) && !upper.closest("label")?.contains(control)) say(`under ${upper.tagName}.${upper.className}`, control);
  }

  for (const fold of folded) fold.open = false;
  scrollTo(...place);
  return [...new Set(found)];
}
