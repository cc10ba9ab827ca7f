// A person without a mouse: goes from stop to stop with the Tab key, and sees where that is.
import assert from "node:assert/strict";

/// Everything that Tab should stop at, in its order; kept in the page as `stops`.
function number() {
  const all = document.querySelectorAll('a[href], button, input:not([type="hidden"]), select, textarea, summary, [tabindex="0"]');
  // Of radio buttons that belong together only the chosen one is a stop.
  const chosen = (radio) => radio.checked || (!document.querySelector(`[name="${radio.name}"]:checked`) && document.querySelector(`[name="${radio.name}"]`) === radio);
  window.stops = [...all].filter(
    (stop) => !stop.disabled && stop.checkVisibility({ visibilityProperty: true }) && (stop.type !== "radio" || chosen(stop)),
  );
  window.stops[0]?.focus();
  return window.stops.length;
}

/// Where the focus is: its number among the stops, and what is wrong with how it is seen.
function here() {
  const at = document.activeElement;
  const what = at.outerHTML.slice(0, 160);
  if (at === document.body) return { what, index: -1, wrong: "nowhere" };
  const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(at);
  const index = window.stops ? window.stops.indexOf(at) : -1;
  if (outlineStyle === "none" || parseFloat(outlineWidth) < 2 || /, 0\)$/.test(outlineColor)) return { what, index, wrong: "the focus is not seen" };
  const boxes = [...at.getClientRects()];
  const inside = boxes.find((box) => box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth);
  if (!inside) return { what, index, wrong: "out of the window" };
  const middle = (from, to, most) => (Math.max(from, 0) + Math.min(to, most)) / 2;
  const upper = document.elementFromPoint(middle(inside.left, inside.right, innerWidth), middle(inside.top, inside.bottom, innerHeight));
  const own = upper && (at.contains(upper) || upper.closest("label")?.contains(at));
  return { what, index, wrong: own ? null : `covered by ${upper?.outerHTML.slice(0, 80)}` };
}

/// Tab from the first stop to the last: each is come to, in order, seen and uncovered; and Shift+Tab leads back.
export async function walk(page, name) {
  const count = await page.evaluate(number);
  const visited = [0];
  for (let presses = 0; visited.at(-1) < count - 1; presses++) {
    assert.ok(presses < count * 4 + 20, `${name}: Tab does not get beyond stop ${visited.at(-1)} of ${count}`);
    await page.keyboard.press("Tab");
    const { index, what, wrong } = await page.evaluate(here);
    assert.equal(wrong, null, `${name}: ${what}`);
    // A field for a date has stops within itself.
    if (index !== visited.at(-1)) visited.push(index);
  }
  assert.deepEqual(visited, [...Array(count).keys()], `${name}: every stop once, in the order of the page`);
  for (let presses = 0; presses < count * 4 + 20; presses++) {
    await page.keyboard.press("Shift+Tab");
    if (await page.evaluate(() => document.activeElement === window.stops[0])) return;
  }
  assert.fail(`${name}: Shift+Tab does not lead back`);
}

/// Tab until the focus is on what `selector` names.
export async function tabTo(page, selector) {
  const passed = [];
  for (let presses = 0; presses < 200; presses++) {
    await page.keyboard.press("Tab");
    const { what, wrong } = await page.evaluate(here);
    if (await page.evaluate((selector) => document.activeElement.matches(selector), selector)) {
      assert.equal(wrong, null, what);
      return;
    }
    passed.push(what.slice(0, 60));
  }
  assert.fail(`${selector} is not reached:\n${passed.slice(0, 60).join("\n")}`);
}

/// Goes to a field and types.
export async function typeIn(page, selector, text) {
  await tabTo(page, selector);
  await page.keyboard.type(text);
}

/// Goes to a control and presses Enter; waits for the page that it leads to.
export async function enter(page, selector) {
  await tabTo(page, selector);
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
}

/// Goes to a control and presses a key that leads nowhere else: Enter on a fold, Space on a box.
export async function use(page, selector, key) {
  await tabTo(page, selector);
  await page.keyboard.press(key);
}
