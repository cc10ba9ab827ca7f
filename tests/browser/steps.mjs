// What a person does on the authorization page, step by step, and what is measured on it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import assert from "node:assert/strict";
import { shoot, sizes } from "./shots.mjs";
import { alipayPlusPrepare } from "./wallet.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const approve = 'button[name="decision"][value="approve"]';
export const refuse = 'button[name="decision"][value="refuse"]';

/// A new agreement to decide, as a Qi merchant asks for it; the page's address.
export function prepareQi(wallet, language, contractDesc) {
  const extendInfo = JSON.stringify({ language, contractDesc });
  return wallet.call("prepare", "qi", { scopes: "AGREEMENT_PAY", extendInfo }).authUrl;
}

/// The same by Alipay+.
export function prepareAlipayPlus(wallet, more = {}) {
  const { normalUrl, result } = wallet.call("prepare", "alipayPlus", alipayPlusPrepare(wallet, more));
  assert.ok(normalUrl, result.resultMessage);
  return normalUrl;
}

/// Fills the first step and presses `button`.
export async function firstStep(page, wallet, { agree = true, pin = wallet.user.pin, loginId = wallet.user.loginId, button = approve } = {}) {
  await page.fill('[name="loginId"]', loginId);
  await page.fill('[name="pin"]', pin);
  if (agree) await page.check('[name="agree"]');
  await press(page, button);
}

/// Presses a button that leads to another page.
export async function press(page, selector) {
  await Promise.all([page.waitForEvent("load"), page.click(selector)]);
}

/// Both steps of an approval.
export async function agree(page, wallet) {
  await firstStep(page, wallet);
  assert.match(page.url(), /step=approve/, "the second step has an address of its own");
  await page.click(approve);
}

/// Both steps of a refusal.
export async function refuseTwice(page) {
  await press(page, refuse);
  assert.match(page.url(), /step=refuse/);
  await page.click(refuse);
}

/// The result page of a mini program in an ordinary browser: it says what happened, and its link leads on at once.
export async function onward(page, url) {
  await page.click(".outcome a.button.primary");
  await page.waitForURL(url);
}

/// No violation of any rule that axe knows; contrast included.
export async function accessible(page, name, only) {
  // The page's own policy allows no foreign script: the check is put in from outside.
  if (!(await page.evaluate("typeof axe === 'object'"))) await page.evaluate(axe);
  const found = await page.evaluate(`axe.run(document, { resultTypes: ["violations"]${only ? `, runOnly: ["${only}"]` : ""} })`);
  assert.ok(found.passes.length > (only ? 0 : 10), `${name}: axe has looked`);
  const said = found.violations.map((rule) => `${rule.id}: ${rule.nodes.map((node) => node.html).join(" | ")}`);
  assert.deepEqual(said, [], `${name}: axe`);
}

/// A page in one language as it stands: on a phone and on a PC, light and dark, axe finds nothing, nothing is wider than
/// the window, and a picture of each is kept.
export async function look(page, name, language) {
  assert.equal(await page.getAttribute("html", "lang"), language, name);
  assert.equal(await page.getAttribute("html", "dir"), language === "ar-IQ" ? "rtl" : "ltr", name);
  const before = page.viewportSize();
  for (const size of ["phone", "pc"]) {
    await page.setViewportSize(sizes[size]);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      const full = `${name}-${language}-${size}-${colorScheme}`;
      await shoot(page, full);
      await fits(page, full);
      // Between light and dark only colours change.
      await accessible(page, full, (size === "phone") === (colorScheme === "light") ? undefined : "color-contrast");
    }
  }
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize(before);
}

/// Nothing runs out of the side of the page.
export async function fits(page, name) {
  const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= window, `${name}: ${wide} px wide in ${window}`);
}
