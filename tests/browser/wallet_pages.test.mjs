// The wallet's own pages in Chromium: both languages, phone and PC, light and dark, without scripts, by keyboard.
// Every page and state is checked with axe-core and photographed into the folder `ACCORD_SCREENSHOTS`, if that is set.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessible, fits } from "./steps.mjs";
import { alipayPlusPrepare, startBrowser, startWallet } from "./wallet.mjs";

const shots = process.env.ACCORD_SCREENSHOTS;
const phone = { width: 390, height: 844 };

let wallet;
let browser;
const made = {};

before(async () => {
  wallet = await startWallet();
  browser = await startBrowser();
  if (shots) mkdirSync(shots, { recursive: true });
  made.gym = await agree({ contractDesc: "نادي دجلة الرياضي: اشتراك شهري ١٥٬٠٠٠ دينار. Gym plan, 15,000 IQD a month." });
  made.films = await agree({ contractDesc: "Films, monthly" });
  made.shop = await agreeAlipayPlus("wallet-pages-1");
  made.paid = pay(made.gym.token, "wp-1", "15000000", "Gym, November");
  pay(made.gym.token, "wp-2", "900000000000000", "Gym, ten years");
  wallet.call("refund", "qi", {
    paymentId: made.paid.paymentId,
    refundRequestId: "wp-r-1",
    refundAmount: { currency: "IQD", value: "5000000" },
    refundReason: "The pool was closed",
  });
});
after(async () => {
  await browser?.close();
  await wallet?.stop();
});

async function decided(url) {
  const { loginId, pin } = wallet.user;
  const reply = await wallet.post("/sandbox/decide", { url, loginId, pin, decision: "approve" });
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
  return reply.body.authCode;
}

async function newest() {
  const user = await wallet.get(`/sandbox/users/${encodeURIComponent(wallet.user.loginId)}`);
  return user.agreements[0].agreementId;
}

async function agree(extendInfo) {
  const { authUrl } = wallet.call("prepare", "qi", {
    scopes: "AGREEMENT_PAY",
    extendInfo: JSON.stringify({ language: "en-US", ...extendInfo }),
  });
  const authCode = await decided(authUrl);
  const applied = wallet.call("applyToken", "qi", { grantType: "AUTHORIZATION_CODE", authCode });
  return { id: await newest(), token: applied.accessToken };
}

async function agreeAlipayPlus(referenceAgreementId) {
  const { normalUrl } = wallet.call("prepare", "alipayPlus", alipayPlusPrepare(wallet, { referenceAgreementId }));
  const authCode = await decided(normalUrl);
  const { pspId, acquirerId, walletName } = wallet.sandbox.alipayPlus;
  const applied = wallet.call("applyToken", "alipayPlus", {
    pspId,
    acquirerId,
    authClientId: "M0001",
    referenceMerchantId: "M0001",
    customerBelongsTo: walletName,
    grantType: "AUTHORIZATION_CODE",
    authCode,
  });
  assert.ok(applied.accessToken, JSON.stringify(applied));
  return { id: await newest() };
}

function pay(token, paymentRequestId, value, orderDescription) {
  return wallet.call("pay", "qi", {
    productCode: "51051000101000100031",
    paymentRequestId,
    paymentAuthCode: token,
    paymentAmount: { currency: "IQD", value },
    order: { orderDescription },
  });
}

// A browser in which the user is signed in.
async function signedIn({ lang = "en-US", next = "/wallet", ...options } = {}) {
  const context = await browser.newContext({ viewport: phone, ...options });
  const page = await context.newPage();
  await page.goto(`${wallet.base}${next}?lang=${lang}`);
  await page.fill('[name="loginId"]', wallet.user.loginId);
  await page.fill('[name="pin"]', wallet.user.pin);
  await Promise.all([page.waitForLoadState("load"), page.click('form[action="/wallet/sign-in"] button')]);
  assert.equal(await page.locator(".nav").count(), 1, await page.textContent("main"));
  return { context, page };
}

// What must hold of every page: axe finds nothing, and nothing is wider than the window.
async function check(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `wallet-${name}.png`), fullPage: true });
  await fits(page, name);
  await accessible(page, name);
}

const pages = () => [
  ["home", "/wallet"],
  ["agreement", `/wallet/agreements/${made.gym.id}`],
  ["end", `/wallet/agreements/${made.shop.id}/end`],
  ["payment", `/wallet/payments/${made.paid.paymentId}`],
  ["inbox", "/wallet/inbox"],
  ["preferences", "/wallet/preferences"],
  ["devices", "/wallet/devices"],
];

for (const [look, lang, options] of [
  ["phone-en", "en-US", {}],
  ["phone-ar-dark", "ar-IQ", { colorScheme: "dark" }],
  ["narrow-ar", "ar-IQ", { viewport: { width: 320, height: 640 } }],
  ["pc-en-dark", "en-US", { viewport: { width: 1280, height: 900 }, colorScheme: "dark" }],
]) {
  test(`every page is whole, readable and accessible: ${look}`, async () => {
    const context = await browser.newContext({ viewport: phone, ...options });
    const stranger = await context.newPage();
    await stranger.goto(`${wallet.base}/wallet?lang=${lang}`);
    await check(stranger, `${look}-sign-in`);
    await stranger.fill('[name="loginId"]', "+9647999999999");
    await stranger.fill('[name="pin"]', "000000");
    await stranger.click('form[action="/wallet/sign-in"] button');
    await stranger.waitForSelector('[role="alert"]');
    await check(stranger, `${look}-sign-in-wrong`);
    await context.close();

    const { context: mine, page } = await signedIn({ lang, ...options });
    for (const [name, path] of pages()) {
      await page.goto(`${wallet.base}${path}`);
      assert.equal(await page.getAttribute("html", "dir"), lang === "ar-IQ" ? "rtl" : "ltr", name);
      for (const fold of await page.locator("details").all()) await fold.evaluate((element) => (element.open = true));
      await check(page, `${look}-${name}`);
    }
    await mine.close();
  });
}

test("without scripts an agreement is limited, paused, resumed and ended, and the receipt holds", async () => {
  const { context, page } = await signedIn({ javaScriptEnabled: false, acceptDownloads: true });
  const path = `/wallet/agreements/${made.films.id}`;
  const press = async (action) => {
    await Promise.all([page.waitForLoadState("load"), page.click(`form[action="${path}/${action}"] button`)]);
  };
  await page.goto(`${wallet.base}${path}`);
  await page.click("#limits > summary");
  await page.fill("#perMonth", "٢٠٬٠٠٠");
  await press("limits");
  assert.match(await page.textContent("main"), /At most 20,000 IQD a month/);
  await page.click("#limits > summary");
  await page.fill("#perMonth", "30000");
  await press("limits");
  assert.match(await page.textContent('[role="alert"]'), /type your PIN/);
  await page.click("summary >> nth=0");
  await press("pause");
  assert.match(await page.textContent("main"), /Paused until you resume it/);
  await press("resume");
  await page.click(`a[href="${path}/end"]`);
  await press("end");
  assert.match(await page.textContent("main"), /You ended the agreement/);
  const [download] = await Promise.all([page.waitForEvent("download"), page.click(`a[href="${path}/receipt"]`)]);
  const receipt = JSON.parse(readFileSync(await download.path(), "utf8"));
  assert.match(receipt.content, /^accord receipt of revocation v1\n/);
  await context.close();
});

test("a merchant that does not let go, or does not answer, is told as such", async () => {
  const { context, page } = await signedIn();
  const end = `/wallet/agreements/${made.shop.id}/end`;
  for (const [answer, said, name] of [
    ["false", /does not allow the agreement to end here/, "end-refused"],
    ["timeout", /did not answer \(1 of 3\)/, "end-unanswered"],
  ]) {
    assert.equal((await wallet.post("/sandbox/consult", { answer })).status, 200);
    await page.goto(`${wallet.base}${end}`);
    await Promise.all([page.waitForURL(/end$/), page.click(`form[action="${end}"] button`)]);
    await page.waitForLoadState("load");
    assert.match(await page.textContent('[role="status"]'), said);
    await check(page, name);
  }
  await wallet.post("/sandbox/consult", { answer: "true" });
  await context.close();
});

test("by keyboard alone a user signs in and out", async () => {
  const context = await browser.newContext({ viewport: phone });
  const page = await context.newPage();
  await page.goto(`${wallet.base}/wallet?lang=en-US`);
  await page.focus("#loginId");
  await page.keyboard.type(wallet.user.loginId);
  await page.keyboard.press("Tab");
  await page.keyboard.type(wallet.user.pin);
  await Promise.all([page.waitForSelector(".nav"), page.keyboard.press("Enter")]);
  const out = page.locator('form[action="/wallet/sign-out"] button');
  for (let tries = 0; tries < 60; tries++) {
    await page.keyboard.press("Tab");
    if (await out.evaluate((button) => button === document.activeElement)) break;
  }
  await Promise.all([page.waitForSelector("#loginId"), page.keyboard.press("Enter")]);
  assert.match(await page.textContent('[role="status"]'), /signed out/);
  await page.goBack();
  await page.reload();
  assert.equal(await page.locator(".nav").count(), 0, "back does not bring the wallet back");
  await context.close();
});
