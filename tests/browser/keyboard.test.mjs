// By keyboard alone: the wallet, the authorization page, the demo and the console. On every page Tab comes to everything,
// in order, with a focus that is seen and not covered, and is caught nowhere; then each thing is done that can be done.
import assert from "node:assert/strict";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { agreeAlipayPlus, agreeQi, pay } from "./agreements.mjs";
import { enter, tabTo, typeIn, use, walk } from "./keys.mjs";
import { sizes } from "./shots.mjs";
import { approve, prepareAlipayPlus, prepareQi, refuse } from "./steps.mjs";
import { alipayPlusPrepare, startBrowser, startWallet } from "./wallet.mjs";

const password = "a long password of an operator";
const languages = ["en-US", "ar-IQ"];

let wallet;
let browser;
before(async () => {
  wallet = await startWallet({
    prepare(dir, accord) {
      appendFileSync(join(dir, "accord.toml"), "\n[admin]\nconsole = true\n");
      writeFileSync(join(dir, "password"), password, { mode: 0o600 });
      accord("operator", "add", "--data", dir, "--name", "operator", "--role", "operator", "--password-file", join(dir, "password"));
    },
  });
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await wallet?.stop();
});

const newPage = (more = {}) => browser.newPage({ viewport: sizes.phone, locale: "en-US", ...more });

async function signIn(page) {
  await typeIn(page, "#loginId", wallet.user.loginId);
  await typeIn(page, "#pin", wallet.user.pin);
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
  assert.equal(await page.locator(".nav").count(), 1, await page.textContent("main"));
}

const main = (page) => page.textContent("main");

test("the wallet: agreements are paused, resumed, limited, skipped and ended, and the receipt is had", async () => {
  const gym = await agreeQi(wallet, { contractDesc: "Gym plan" });
  const bread = await agreeQi(wallet, { contractDesc: "Bread", schedule: "MONTHLY", agreedAmount: { currency: "IQD", value: "12000000" } });
  const page = await newPage({ acceptDownloads: true });
  await page.goto(`${wallet.base}/wallet?lang=en-US`);
  await walk(page, "sign-in");
  await page.reload();
  await signIn(page);

  await enter(page, `a.row[href$="${gym.id}"]`);
  await use(page, "details.fold:has(#until) > summary", "Enter");
  await enter(page, 'form[action$="/pause"] button');
  assert.match(await main(page), /Paused until you resume it/);
  await enter(page, 'form[action$="/resume"] button');
  assert.doesNotMatch(await main(page), /Paused until/);
  await use(page, "details.fold:has(#until) > summary", "Enter");
  await typeIn(page, "#until", "12312028");
  await enter(page, 'form[action$="/pause"] button');
  assert.match(await main(page), /Paused until 31 December 2028/);
  await enter(page, 'form[action$="/resume"] button');

  await use(page, "#limits > summary", "Enter");
  await typeIn(page, "#perMonth", "20000");
  await enter(page, 'form[action$="/limits"] button');
  assert.match(await main(page), /At most 20,000 IQD a month/);

  await enter(page, 'a[href$="/end"]');
  await walk(page, "end");
  await enter(page, `main a.button[href$="${gym.id}"]`);
  assert.doesNotMatch(await main(page), /You ended/, "it was thought better of");
  await enter(page, 'a[href$="/end"]');
  await enter(page, 'form[action$="/end"] button');
  assert.match(await main(page), /You ended the agreement/);
  await tabTo(page, 'a[href$="/receipt"]');
  const [download] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
  assert.match(JSON.parse(readFileSync(await download.path(), "utf8")).content, /^accord receipt of revocation v1\n/);

  await enter(page, ".crumbs a");
  await enter(page, `a.row[href$="${bread.id}"]`);
  await enter(page, 'form[action$="/skip"] button');
  assert.match(await main(page), /Paused until/, "the next debit is skipped");
  await page.context().close();
});

test("the wallet: inbox, preferences, devices, the language and the way out", async () => {
  const { token } = await agreeQi(wallet, { contractDesc: "Films" });
  pay(wallet, token, "keys-1", "15000000", "Films, November");
  const other = await newPage();
  await other.goto(`${wallet.base}/wallet?lang=en-US`);
  await signIn(other);
  const page = await newPage();
  await page.goto(`${wallet.base}/wallet?lang=en-US`);
  await signIn(page);

  await enter(page, '.places a[href="/wallet/inbox"]');
  await enter(page, 'article a[href^="/wallet/payments/"]');
  assert.match(await main(page), /Films, November/);

  await enter(page, '.places a[href="/wallet/preferences"]');
  await use(page, "#language", "End");
  await typeIn(page, "#email", "sara@example.iq");
  await use(page, 'input[type="checkbox"]', "Space");
  const box = await page.evaluate(() => document.activeElement.name);
  await enter(page, 'form[action$="/preferences"] button');
  assert.equal(await page.getAttribute("html", "lang"), "ar-IQ", "the chosen language is spoken at once");
  assert.equal(await page.inputValue("#email"), "sara@example.iq");
  assert.equal(await page.isChecked(`[name="${box}"]`), true);
  await enter(page, "a.switch");
  assert.equal(await page.getAttribute("html", "lang"), "en-US");

  await enter(page, '.places a[href="/wallet/devices"]');
  const ends = 'form[action^="/wallet/devices/"]:not([action$="/end-all"]) button';
  const devices = await page.locator(ends).count();
  assert.ok(devices >= 2);
  await enter(page, '.list li:not(:has(.badge.good)) form button');
  assert.equal(await page.locator(ends).count(), devices - 1);
  await use(page, "details > summary", "Enter");
  assert.match(await page.textContent("details[open]"), /Mozilla/);

  await enter(page, ".sign-out button");
  assert.match(await page.textContent('[role="status"]'), /signed out/);
  await page.goBack();
  await page.reload();
  assert.equal(await page.locator(".nav").count(), 0, "back does not bring the wallet back");
  await other.context().close();
  await page.context().close();
});

test("the wallet: Tab comes to everything on every page, in both languages", async () => {
  const { id, token } = await agreeQi(wallet, { contractDesc: "A magazine" });
  const { paymentId } = pay(wallet, token, "keys-2", "15000000", "November");
  const shop = await agreeAlipayPlus(wallet, "keys-1");
  const page = await newPage();
  await page.goto(`${wallet.base}/wallet?lang=en-US`);
  await signIn(page);
  for (const lang of languages) {
    for (const path of ["", `/agreements/${id}`, `/agreements/${shop.id}/end`, `/payments/${paymentId}`, "/inbox", "/preferences", "/devices"]) {
      await page.goto(`${wallet.base}/wallet${path}?lang=${lang}`);
      await page.evaluate(() => document.querySelectorAll("details").forEach((fold) => (fold.open = true)));
      await walk(page, `wallet${path}, ${lang}`);
    }
  }
  await page.context().close();
});

test("the authorization page: the contract, limits, an approval, a refusal", async () => {
  const long = Array.from({ length: 30 }, (_, i) => `${i + 1}. A line of the contract.`).join("\n");
  const page = await newPage();
  await page.route("https://www.merchant.com/**", (route) => route.fulfill({ body: "merchant" }));
  await page.goto(prepareQi(wallet, "en-US", long));
  await walk(page, "question");
  await page.reload();
  await use(page, "details.contract > summary", "Enter");
  assert.equal(await page.locator(".contract-text").isVisible(), true);
  await use(page, "details.fold:has(#limitPerMonth) > summary", "Enter");
  await typeIn(page, "#limitPerMonth", "50000");
  await typeIn(page, "#loginId", wallet.user.loginId);
  await typeIn(page, "#pin", wallet.user.pin);
  await enter(page, approve);
  assert.equal(await page.evaluate(() => document.activeElement.id), "hint", "the hint has the focus");
  await walk(page, "question with a hint");
  await page.reload();
  await typeIn(page, "#pin", wallet.user.pin);
  await use(page, '[name="agree"]', "Space");
  await enter(page, approve);
  assert.match(page.url(), /step=approve/);
  await walk(page, "second step");
  await enter(page, "main a.button");
  assert.equal(await page.locator('[name="pin"]').count(), 1, "back at the question");
  await enter(page, refuse);
  await enter(page, refuse);
  await tabTo(page, "#stay");
  await page.keyboard.press("Enter");
  await walk(page, "result");

  for (const lang of languages) {
    await page.setViewportSize(sizes.pc);
    await page.goto(`${prepareAlipayPlus(wallet, { terminalType: "WEB" })}&lang=${lang}`);
    await walk(page, `question with a QR code, ${lang}`);
  }
  await page.context().close();
});

test("the hand-over: the phone's number and decision", async () => {
  const page = await newPage();
  const { normalUrl, codeValue } = wallet.call("prepare", "alipayPlus", alipayPlusPrepare(wallet, { terminalType: "WEB" }));
  const pc = await newPage({ viewport: sizes.pc });
  await pc.goto(normalUrl);
  const shown = (await pc.textContent("#handover .number strong")).trim();
  await page.goto(codeValue);
  await walk(page, "the number");
  await page.reload();
  await typeIn(page, "#number", shown);
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
  assert.equal(await page.locator('[name="pin"]').count(), 1);
  await walk(page, "question on the phone");
  await page.context().close();
  await pc.context().close();
});

test("the demo: a subscription from the shop's first page to its end", async () => {
  const page = await newPage({ viewport: sizes.pc });
  await page.goto(`${wallet.demo}/demo?lang=en-US`);
  await walk(page, "demo");
  await page.reload();
  await enter(page, 'a.button[href="/demo/qi"]');
  await walk(page, "shop");
  await tabTo(page, 'input[name="plan"]');
  await page.keyboard.press("ArrowDown");
  const plan = await page.evaluate(() => document.querySelector('[name="plan"]:checked').value);
  assert.equal(plan, "seasonal", "arrows choose among the plans");
  await enter(page, "#subscribe button");
  await walk(page, "checkout");
  await page.reload();
  await tabTo(page, "#sign-contract");
  await Promise.all([page.waitForURL(`${wallet.base}/authorize?authId=*`), page.keyboard.press("Enter")]);
  await page.waitForLoadState();
  await typeIn(page, "#loginId", wallet.user.loginId);
  await typeIn(page, "#pin", wallet.user.pin);
  await use(page, '[name="agree"]', "Space");
  await enter(page, approve);
  await enter(page, approve);
  await tabTo(page, ".outcome a.button.primary");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#subscription");
  await enter(page, 'button[name="by"][value="month"]');
  await use(page, "details.exchange > summary", "Enter");
  await use(page, 'details.exchange[open] details[id$="qd"] > summary', "Enter");
  await tabTo(page, 'details.exchange[open] pre[id$="qc"]');
  await use(page, 'details.exchange[open] button[data-copy$="qc"]', "Tab");
  await enter(page, '#wire a[href*="view=timeline"]');
  await walk(page, "timeline");
  await page.reload();
  await enter(page, '#phone form[action$="/cancelToken"] button');
  assert.match(await page.textContent("#phone"), /The agreement has ended/);
  for (const lang of languages) {
    for (const dialect of ["qi", "alipayPlus"]) {
      await page.goto(`${wallet.demo}/demo/${dialect}?view=steps&lang=${lang}`);
      await walk(page, `every call, ${dialect}, ${lang}`);
    }
  }
  await page.context().close();
});

test("the console: a user is found, frozen and thawed; Tab comes to everything", async () => {
  const page = await newPage({ viewport: sizes.pc });
  await page.goto(`${wallet.base}/admin/sign-in?lang=en-US`);
  await walk(page, "console, sign-in");
  await page.reload();
  await typeIn(page, '[name="name"]', "operator");
  await typeIn(page, '[name="password"]', password);
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
  assert.equal(new URL(page.url()).pathname, "/admin");
  await use(page, ".charts details > summary", "Enter");
  assert.equal(await page.locator(".charts details[open] table").count(), 1);

  await enter(page, '.nav a[href="/admin/users"]');
  await typeIn(page, 'main [name="q"]', wallet.user.loginId);
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
  await enter(page, `main a[href$="/users/${wallet.user.customerId}"]`);
  for (const [act, status] of [["freeze", "frozen"], ["unfreeze", "active"]]) {
    await use(page, `form[action$="/${act}"] [name="confirm"]`, "Space");
    await enter(page, `form[action$="/${act}"] button`);
    const user = await wallet.get(`/sandbox/users/${encodeURIComponent(wallet.user.loginId)}`);
    assert.equal(user.status, status);
  }
  for (const lang of languages) {
    for (const path of ["", "/agreements", "/payments", "/unresolved", "/notifications", "/users", `/users/${wallet.user.customerId}`, "/clients", "/journal"]) {
      await page.goto(`${wallet.base}/admin${path}?lang=${lang}`);
      await walk(page, `console${path}, ${lang}`);
    }
  }
  await enter(page, ".who button");
  assert.equal(new URL(page.url()).pathname, "/admin/sign-in");
  await page.context().close();
});
