// Both flows by the demo's steps, in Chromium: the money moves, the notice is verified, the user is told.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { agree, refuseTwice } from "./steps.mjs";
import { startBrowser, startWallet } from "./wallet.mjs";

let wallet;
let browser;
before(async () => {
  wallet = await startWallet();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await wallet?.stop();
});

async function approve(page) {
  assert.equal(await page.isChecked('[name="agree"]'), false, "the box begins unticked");
  await agree(page, wallet);
}

async function step(page, dialect, name) {
  await Promise.all([page.waitForLoadState("load"), page.click(`form[action="/demo/${dialect}/${name}"] button`)]);
}

async function debitAndCheck(page, dialect) {
  const before = await wallet.get(`/sandbox/users/${encodeURIComponent(wallet.user.loginId)}`);
  await step(page, dialect, "applyToken");
  await page.fill('input[name="amount"]', "25000000");
  await page.fill('input[name="currency"]', "IQD");
  await step(page, dialect, "pay");
  const after = await wallet.get(`/sandbox/users/${encodeURIComponent(wallet.user.loginId)}`);
  assert.equal(BigInt(before.balances.IQD) - BigInt(after.balances.IQD), 25000000n, "the debit moved the money");
  assert.equal(after.inboxCount, before.inboxCount + 1);

  const text = await page.textContent("main");
  const paymentId = /paymentId:\s*([0-9A-Za-z]+)/.exec(text)?.[1];
  assert.ok(paymentId, "the page shows the paymentId");
  const { messages } = await wallet.get(`/sandbox/messages?loginId=${encodeURIComponent(wallet.user.loginId)}`);
  assert.ok(messages[0].text.includes(paymentId), "the message names the payment");

  await step(page, dialect, "inquiryPayment");
  await step(page, dialect, "refresh");
  await step(page, dialect, "cancelToken");
  return paymentId;
}

async function received(kind) {
  for (let tries = 0; tries < 100; tries++) {
    const list = await (await fetch(`${wallet.demo}/demo/notifications.json`)).json();
    const found = (list.notifications ?? list).filter((item) => JSON.stringify(item).includes(kind));
    if (found.length > 0) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`no ${kind} arrived`);
}

test("Qi: from prepare to a silent debit, by the mini program emulator", async () => {
  const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
  await page.goto(`${wallet.demo}/demo/qi?view=steps`);
  await step(page, "qi", "prepare");
  await page.click("#sign-contract");
  await page.waitForURL(`${wallet.base}/authorize?authId=*`);
  assert.equal(page.frames().length, 1, "the page is at top level");
  await approve(page);
  await page.waitForURL(`${wallet.demo}/demo/qi*`);
  await page.waitForLoadState("load");
  assert.ok(!page.url().includes("authCode"), "the code does not stay in the address");
  const paymentId = await debitAndCheck(page, "qi");
  const notices = await received(paymentId);
  assert.equal(notices[0].verified, true, "the demo merchant verified the notice");
  await page.close();
});

test("Alipay+: from prepare to a silent debit, led back to the merchant's origin", async () => {
  const page = await browser.newPage();
  await page.goto(`${wallet.demo}/demo/alipayPlus?view=steps`);
  await step(page, "alipayPlus", "prepare");
  await page.click("#open-page");
  await page.waitForURL(`${wallet.base}/authorize?authId=*`);
  await approve(page);
  await page.waitForURL(`${wallet.demo}/demo/alipayPlus*`);
  await page.waitForLoadState("load");
  await debitAndCheck(page, "alipayPlus");
  for (const kind of ["AUTHCODE_CREATED", "TOKEN_CREATED", "TOKEN_CANCELED"]) {
    const notices = await received(kind);
    assert.equal(notices[0].verified, true, kind);
  }
  await page.close();
});

test("a refusal goes back by the bridge with 6001 and no code", async () => {
  const page = await browser.newPage();
  await page.goto(`${wallet.demo}/demo/qi?view=steps`);
  await step(page, "qi", "prepare");
  await page.click("#sign-contract");
  await page.waitForURL(`${wallet.base}/authorize?authId=*`);
  await refuseTwice(page);
  await page.click(".outcome a.button.primary");
  await page.waitForURL(`${wallet.demo}/demo/qi*`);
  await page.waitForLoadState("load");
  assert.match(await page.textContent("main"), /6001/);
  assert.equal(await page.inputValue('#code-form [name="authCode"]'), "");
  await page.close();
});
