// What a person does on the authorization page, step by step.
import assert from "node:assert/strict";
import { alipayPlusPrepare } from "./wallet.mjs";

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
