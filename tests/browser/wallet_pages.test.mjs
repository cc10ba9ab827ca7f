// The wallet's own pages in Chromium: both languages, phone and PC, light and dark, without scripts, by keyboard.
// Every page and state is checked with axe-core and photographed into `shots`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { agreeAlipayPlus, agreeQi, pay } from "./agreements.mjs";
import { shoot, sizes } from "./shots.mjs";
import { fits, look, whole } from "./looks.mjs";
import { press } from "./steps.mjs";
import { startBrowser, startWallet } from "./wallet.mjs";

const phone = sizes.phone;

let wallet;
let browser;
const made = {};

before(async () => {
  wallet = await startWallet();
  browser = await startBrowser();
  made.gym = await agreeQi(wallet, { contractDesc: "نادي دجلة الرياضي: اشتراك شهري ١٥٬٠٠٠ دينار. Gym plan, 15,000 IQD a month." });
  made.bread = await agreeQi(wallet, { contractDesc: "Bread." });
  made.films = await agreeQi(wallet, { contractDesc: "Films, monthly" });
  made.shop = await agreeAlipayPlus(wallet, "wallet-pages-1");
  made.paid = pay(wallet, made.gym.token, "wp-1", "15000000", "Gym, November");
  made.declined = pay(wallet, made.gym.token, "wp-2", "900000000000000", "Gym, ten years");
  made.monthly = await agreeQi(wallet, { contractDesc: "Bread, every month", schedule: "MONTHLY", agreedAmount: { currency: "IQD", value: "12000000" } });
  made.paused = await agreeQi(wallet, { contractDesc: "A newspaper" });
  made.over = await agreeQi(wallet, { contractDesc: "A magazine" });
  const { page, context } = await signedIn({ next: `/wallet/agreements/${made.paused.id}` });
  await page.click("summary >> nth=0");
  await press(page, 'form[action$="/pause"] button');
  await page.goto(`${wallet.base}/wallet/agreements/${made.over.id}/end`);
  await press(page, 'form[action$="/end"] button');
  await context.close();
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

const signIn = 'form[action="/wallet/sign-in"] button';

async function enter(page, user) {
  await page.fill('[name="loginId"]', user.loginId);
  await page.fill('[name="pin"]', user.pin);
  await press(page, signIn);
  assert.equal(await page.locator(".nav").count(), 1, await page.textContent("main"));
}

// A browser in which the user is signed in.
async function signedIn({ lang = "en-US", next = "/wallet", user = wallet.user, ...options } = {}) {
  const context = await browser.newContext({ viewport: phone, ...options });
  const page = await context.newPage();
  await page.goto(`${wallet.base}${next}?lang=${lang}`);
  await enter(page, user);
  return { context, page };
}

const pages = () => [
  ["home", "/wallet"],
  ["home-active", "/wallet?state=active"],
  ["agreement", `/wallet/agreements/${made.gym.id}`],
  ["agreement-paused", `/wallet/agreements/${made.paused.id}`],
  ["agreement-ended", `/wallet/agreements/${made.over.id}`],
  ["agreement-monthly", `/wallet/agreements/${made.monthly.id}`],
  ["end", `/wallet/agreements/${made.shop.id}/end`],
  ["payment", `/wallet/payments/${made.paid.paymentId}`],
  ["payment-declined", `/wallet/payments/${made.declined.paymentId}`],
  ["inbox", "/wallet/inbox"],
  ["preferences", "/wallet/preferences"],
  ["devices", "/wallet/devices"],
  ["not-found", "/wallet/payments/nothing"],
];

for (const lang of ["en-US", "ar-IQ"]) {
  test(`every page is whole, readable and accessible: ${lang}`, async () => {
    const context = await browser.newContext({ viewport: phone });
    const stranger = await context.newPage();
    await stranger.goto(`${wallet.base}/wallet?lang=${lang}`);
    await look(stranger, "wallet-sign-in", lang);
    await stranger.fill('[name="loginId"]', "+9647999999999");
    await stranger.fill('[name="pin"]', "000000");
    await press(stranger, signIn);
    assert.equal(await stranger.locator('[role="alert"]').count(), 1);
    await look(stranger, "wallet-sign-in-wrong", lang);
    await context.clearCookies();
    await stranger.fill('[name="pin"]', "000000");
    await press(stranger, signIn);
    await look(stranger, "wallet-sign-in-no-cookies", lang);
    await context.close();

    const { context: mine, page } = await signedIn({ lang });
    for (const [name, path] of pages()) {
      await page.goto(`${wallet.base}${path}`);
      for (const fold of await page.locator("details").all()) await fold.evaluate((element) => (element.open = true));
      await look(page, `wallet-${name}`, lang);
    }
    const gym = `/wallet/agreements/${made.gym.id}`;
    await page.goto(`${wallet.base}${gym}`);
    await page.click("#limits > summary");
    await page.fill("#perWeek", "all");
    await press(page, `form[action="${gym}/limits"] button`);
    await look(page, "wallet-limit-unreadable", lang);
    await page.evaluate(() => document.querySelector('.sign-out [name="csrf"]').closest("form").submit());
    await page.waitForSelector("#loginId");
    await look(page, "wallet-signed-out", lang);
    await mine.close();

    // Somebody who has agreed to nothing yet.
    const poor = wallet.sandbox.users.find((user) => user.status === "active" && user.loginId !== wallet.user.loginId);
    const { context: theirs, page: empty } = await signedIn({ lang, user: poor });
    for (const path of ["", "/inbox"]) {
      await empty.goto(`${wallet.base}/wallet${path}`);
      await look(empty, `wallet-empty${path.replace("/", "-")}`, lang);
    }
    await theirs.close();
  });
}

test("at 320 px and with letters of twice the size nothing is lost", async () => {
  for (const lang of ["en-US", "ar-IQ"]) {
    const { context, page } = await signedIn({ lang, viewport: sizes.small });
    for (const [name, path] of pages()) {
      await page.goto(`${wallet.base}${path}`);
      for (const fold of await page.locator("details").all()) await fold.evaluate((element) => (element.open = true));
      await fits(page, `${name}, ${lang}, 320 px`);
      await page.evaluate(() => (document.documentElement.style.fontSize = "200%"));
      await whole(page, `${name}, ${lang}, 320 px, letters of twice the size`);
      if (["home", "agreement"].includes(name)) await shoot(page, `wallet-zoom-${name}-${lang}`);
    }
    await context.close();
  }
});

test("in Arabic what others wrote keeps its direction, and what the wallet says keeps its own", async () => {
  const { context, page } = await signedIn({ lang: "ar-IQ" });
  const line = page.locator(`a.row[href$="${made.bread.id}"] .clip > bdi`);
  const [direction, cut, text, edge] = await line.evaluate((line) => {
    const range = document.createRange();
    range.selectNodeContents(line);
    const name = line.closest(".grow").querySelector("strong").getBoundingClientRect();
    return [getComputedStyle(line).direction, line.scrollWidth > line.clientWidth, line.textContent, name.right - range.getBoundingClientRect().right];
  });
  assert.equal(text, "Bread.");
  assert.equal(direction, "ltr", "the full stop of an English line stands at its right");
  assert.equal(cut, false);
  assert.ok(Math.abs(edge) < 1, `the line begins at the edge of the name above it, not ${edge} px away`);

  await page.goto(`${wallet.base}/wallet/inbox`);
  const letter = page.locator('article[lang="en-US"]').first();
  assert.equal(await letter.evaluate((part) => getComputedStyle(part).direction), "ltr");
  assert.equal(await letter.locator(".eyebrow").evaluate((part) => getComputedStyle(part).direction), "rtl", "the date is the page's");
  await context.close();
});

test("a session that another user opened in the same browser takes no form of the first", async () => {
  const { context, page } = await signedIn();
  const path = `/wallet/agreements/${made.gym.id}`;
  await page.goto(`${wallet.base}${path}`);
  const poor = wallet.sandbox.users.find((user) => user.status === "active" && user.loginId !== wallet.user.loginId);
  const other = await context.newPage();
  await other.goto(`${wallet.base}/wallet`);
  await press(other, ".sign-out button");
  await enter(other, poor);
  await page.click("summary >> nth=0");
  await press(page, `form[action="${path}/pause"] button`);
  assert.doesNotMatch(await page.textContent("main"), /Dijla Stream/, "what is another's looks like what is not there");
  await context.close();
  const { context: again, page: mine } = await signedIn({ next: path });
  assert.equal(await mine.locator(`form[action="${path}/pause"]`).count(), 1, "and nothing was paused");
  await again.close();
});

test("without scripts an agreement is limited, paused, resumed and ended, and the receipt holds", async () => {
  const { context, page } = await signedIn({ javaScriptEnabled: false, acceptDownloads: true });
  const path = `/wallet/agreements/${made.films.id}`;
  const act = (action) => press(page, `form[action="${path}/${action}"] button`);
  await page.goto(`${wallet.base}${path}`);
  await page.click("#limits > summary");
  await page.fill("#perMonth", "٢٠٬٠٠٠");
  await act("limits");
  assert.match(await page.textContent("main"), /At most 20,000 IQD a month/);
  await page.click("#limits > summary");
  await page.fill("#perMonth", "30000");
  await act("limits");
  assert.match(await page.textContent('[role="alert"]'), /type your PIN/);
  await page.click("summary >> nth=0");
  await act("pause");
  assert.match(await page.textContent("main"), /Paused until you resume it/);
  await act("resume");
  await page.click(`a[href="${path}/end"]`);
  await act("end");
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
    await look(page, `wallet-${name}`, "en-US");
  }
  await wallet.post("/sandbox/consult", { answer: "true" });
  await context.close();
});
