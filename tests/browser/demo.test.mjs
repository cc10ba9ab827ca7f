// The demo as somebody sees it who is shown it: a shop on a phone, its merchant's desk, the wire; by clicking alone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { shoot, sizes } from "./shots.mjs";
import { look, lookTwice } from "./looks.mjs";
import { agree, press, refuseTwice } from "./steps.mjs";
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

const dinars = (value) => BigInt(value) * 1000n;

async function account() {
  return wallet.get(`/sandbox/users/${encodeURIComponent(wallet.user.loginId)}`);
}

async function balance() {
  return BigInt((await account()).balances.IQD);
}

/// Presses the button of a step's form.
function step(page, name, more = "") {
  return press(page, `form[action$="/${name}"] button${more}`);
}

/// Chooses a plan, agrees in the wallet and comes back to the shop.
async function subscribe(page, dialect, plan) {
  await page.goto(`${wallet.demo}/demo/${dialect}`);
  await page.check(`input[name="plan"][value="${plan}"]`);
  await step(page, "subscribe");
  await toTheWallet(page, dialect);
  await agree(page, wallet);
  if (dialect === "qi") await goOn(page);
  await page.waitForSelector("#subscription");
  assert.equal(new URL(page.url()).origin, wallet.demo, "the browser is back at the shop");
  assert.doesNotMatch(page.url(), /authCode/, "the code does not stay in the address");
}

/// A mini program's result leads on by itself after a while (flows.test.mjs waits for it); its link does so at once.
async function goOn(page) {
  await page.click(".outcome a.button.primary");
}

async function toTheWallet(page, dialect) {
  await page.click(dialect === "qi" ? "#sign-contract" : "#open-page");
  await page.waitForURL(`${wallet.base}/authorize?authId=*`);
  assert.equal(page.frames().length, 1, "the wallet's page is at top level");
}

/// The newest of the shop's debits as the phone lists them: its badge.
function newest(page) {
  return page.locator("#bills li").first().locator(".badge");
}

test("Qi: a subscriber agrees once and is debited every month as the clock moves", async () => {
  const page = await browser.newPage({ viewport: sizes.pc });
  const before = await balance();
  await page.goto(`${wallet.demo}/demo/qi`);
  await lookTwice(page, "demo-qi-browse");

  // my.getAuthCode, through the emulator.
  await step(page, "logIn");
  await page.waitForSelector("#hello");
  assert.match(await page.textContent("#hello"), /Sara/);
  assert.match(await page.textContent("#jsapi-log"), /my\.getAuthCode[\s\S]*success/);

  await page.check('input[name="plan"][value="monthly"]');
  await step(page, "subscribe");
  await lookTwice(page, "demo-qi-checkout");
  await toTheWallet(page, "qi");
  assert.match(await page.textContent("main"), /25,000/, "the wallet shows the terms of the plan");
  await agree(page, wallet);
  await goOn(page);
  await page.waitForSelector("#subscription");
  assert.doesNotMatch(page.url(), /authCode/, "the code does not stay in the address");
  assert.match(await page.textContent("#jsapi-log"), /qicardSignContract[\s\S]*callback\(\{"authCode":/);
  assert.equal(before - (await balance()), dinars(25_000), "the first month is paid");

  for (let month = 2; month <= 4; month++) {
    await press(page, 'button[name="by"][value="month"]');
    assert.equal(before - (await balance()), dinars(25_000 * month), `${month} months are paid`);
    assert.equal(await page.locator("#bills li").count(), month);
    assert.match(await newest(page).textContent(), /Paid/);
  }
  // The notices arrive by themselves, and are verified; the user was told each time.
  const notices = page.locator("details.exchange", { hasText: "notifyPayment" });
  await notices.nth(3).waitFor();
  assert.equal(await notices.count(), 4);
  for (const badge of await notices.locator(".verdict .badge.good").allTextContents()) assert.match(badge, /verified/);
  assert.ok((await notices.locator(".verdict .badge.good").count()) >= 4);
  assert.ok((await page.locator("#messages .inbox", { hasText: "Paid" }).count()) >= 4, "four messages about payments");
  await lookTwice(page, "demo-qi-account");

  const first = page.locator("details.exchange").last();
  await first.locator("summary").first().click();
  await first.locator('details[id$="qd"] > summary').click();
  assert.match(await first.locator('pre[id$="qc"]').textContent(), /^\s*POST \/v1\/authorizations\/(prepare|applyToken)/);
  assert.match(await first.locator(".measure").first().textContent(), /SHA-256 .*[0-9a-f]{64}/);
  await lookTwice(page, "demo-qi-wire");
  await page.goto(`${wallet.demo}/demo/qi?view=timeline`);
  assert.ok((await page.locator("#timeline li").count()) >= 14);
  await lookTwice(page, "demo-qi-timeline");

  await page.goto(`${wallet.demo}/demo/qi?view=wire`);
  await step(page, "refund");
  assert.match(await newest(page).textContent(), /Refunded/);
  assert.equal(before - (await balance()), dinars(75_000));
  await step(page, "cancelToken");
  assert.match(await page.textContent("#phone"), /The agreement has ended/);
  await lookTwice(page, "demo-qi-ended");
  await page.close();
});

test("Alipay+: the browser goes to the wallet and comes back; an extra, a cancellation, the end by the user", async () => {
  const page = await browser.newPage({ viewport: sizes.pc });
  const before = await balance();
  await subscribe(page, "alipayPlus", "yearly");
  assert.equal(before - (await balance()), dinars(250_000));
  await step(page, "buy");
  assert.equal(before - (await balance()), dinars(255_000));
  await step(page, "cancelPayment");
  assert.match(await newest(page).textContent(), /Cancelled/);
  assert.equal(before - (await balance()), dinars(250_000));
  await lookTwice(page, "demo-ap-account");

  await page.click("#more > summary");
  await page.selectOption('#consult select[name="answer"]', "false");
  await press(page, "#consult button");
  await step(page, "userEnds");
  assert.match(await page.textContent("#notice"), /notAllowed/);
  await page.click("#more > summary");
  await page.selectOption('#consult select[name="answer"]', "true");
  await press(page, "#consult button");
  await step(page, "userEnds");
  assert.match(await page.textContent("#notice"), /ended/);
  await page.waitForSelector("#phone .alert.info");
  await page.locator("details.exchange", { hasText: "TOKEN_CANCELED" }).waitFor();
  await lookTwice(page, "demo-ap-ended");
  await page.close();
});

test("a refusal is told by the callback with 6001, and by Alipay+ without a code; nothing is taken", async () => {
  const page = await browser.newPage({ viewport: sizes.phone });
  const before = await balance();
  for (const [dialect, said] of [["qi", /6001/], ["alipayPlus", /You did not agree/]]) {
    await page.goto(`${wallet.demo}/demo/${dialect}`);
    await step(page, "reset");
    await step(page, "subscribe");
    await toTheWallet(page, dialect);
    await refuseTwice(page);
    if (dialect === "qi") await goOn(page);
    await page.waitForSelector("#subscribe");
    assert.match(await page.textContent("#phone"), said, dialect);
    assert.match(await page.textContent("#phone"), /Nothing was taken/);
    await lookTwice(page, `demo-refused-${dialect}`);
  }
  // The user who closes the wallet's page has refused as well.
  await page.goto(`${wallet.demo}/demo/qi`);
  await step(page, "subscribe");
  await toTheWallet(page, "qi");
  await page.goto(`${wallet.demo}/demo/qi`);
  await press(page, "#give-up");
  assert.match(await page.textContent("#phone"), /6001/);
  assert.equal(await balance(), before);
  await page.close();
});

test("a debit whose outcome is unknown is not made twice, and settles on the open page without a click", async () => {
  const page = await browser.newPage({ viewport: sizes.pc });
  await subscribe(page, "qi", "seasonal");
  const before = await balance();
  await page.click("#more > summary");
  await page.selectOption('#fault select[name="outcome"]', "U-success");
  await press(page, "#fault button");
  await press(page, 'button[name="by"][value="due"]');
  assert.match(await newest(page).textContent(), /Not known yet/);
  assert.equal(await balance(), before);
  await lookTwice(page, "demo-qi-open");
  await wallet.post("/sandbox/clock", { advanceSeconds: 10 });
  await page.locator("#bills li .badge.good").nth(1).waitFor();
  assert.equal(before - (await balance()), dinars(70_000));

  await page.click("#more > summary");
  await page.selectOption('#fault select[name="outcome"]', "RISK_REJECT");
  await press(page, "#fault button");
  await press(page, 'button[name="by"][value="due"]');
  assert.match(await newest(page).textContent(), /RISK_REJECT/);
  assert.equal(before - (await balance()), dinars(70_000));
  await lookTwice(page, "demo-qi-declined");
  await step(page, "due");
  assert.equal(before - (await balance()), dinars(140_000), "the shop tries again");
  await page.close();
});

test("without scripts both flows work; the Qi code is typed in", async () => {
  const context = await browser.newContext({ javaScriptEnabled: false, viewport: sizes.phone });
  const page = await context.newPage();
  await page.goto(`${wallet.demo}/demo/alipayPlus`);
  await step(page, "subscribe");
  await page.click("#open-page");
  await agree(page, wallet);
  await page.waitForSelector("#subscription");

  await page.goto(`${wallet.demo}/demo/qi`);
  await step(page, "logIn");
  assert.match(await page.textContent("#hello"), /Sara/);
  await step(page, "subscribe");
  await page.click("#open-page");
  await agree(page, wallet);
  await goOn(page);
  await page.waitForURL(/#authCode=/);
  const code = new URLSearchParams(new URL(page.url()).hash.slice(1)).get("authCode");
  await shoot(page, "demo-no-script-phone");
  await page.fill('#code-form [name="authCode"]', code);
  await press(page, "#code-form button");
  await page.waitForSelector("#subscription");
  await press(page, "#reload");
  await context.close();
});

test("the way in, and every call by itself", async () => {
  const page = await browser.newPage({ viewport: sizes.pc });
  await page.goto(`${wallet.demo}/demo`);
  await lookTwice(page, "demo-index");
  for (const dialect of ["qi", "alipayPlus"]) {
    await page.goto(`${wallet.demo}/demo/${dialect}?view=steps`);
    await lookTwice(page, `demo-steps-${dialect}`);
  }
  await page.close();
});

test("in Arabic the shop asks in Arabic, from right to left", async () => {
  const page = await browser.newPage({ viewport: sizes.small });
  await page.goto(`${wallet.demo}/demo/qi?lang=ar-IQ`);
  assert.equal(await page.getAttribute("html", "dir"), "rtl");
  await step(page, "subscribe");
  await toTheWallet(page, "qi");
  assert.equal(await page.getAttribute("html", "dir"), "rtl", "the contract is asked for in the shop's language");
  assert.match(await page.textContent("main"), /٢٥٬٠٠٠ دينار عراقي/);
  await agree(page, wallet);
  await goOn(page);
  await page.waitForSelector("#subscription");
  await look(page, "demo-arabic-account", "ar-IQ");
  await page.goto(`${wallet.demo}/demo/qi?view=steps`);
  await look(page, "demo-arabic-steps", "ar-IQ");
  await page.close();
});

test("the content that was signed can be copied", async () => {
  const context = await browser.newContext({ viewport: sizes.pc });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: wallet.demo });
  const page = await context.newPage();
  await page.goto(`${wallet.demo}/demo/qi`);
  await step(page, "subscribe");
  const prepare = page.locator("details.exchange", { hasText: "prepare" }).first();
  await prepare.locator("summary").first().click();
  await prepare.locator('details[id$="qd"] > summary').click();
  await prepare.locator('button[data-copy$="qc"]').click();
  await page.waitForFunction(() => document.querySelector('button[data-copy$="qc"]').textContent === "Copied");
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(copied, /^POST \/v1\/authorizations\/prepare\n/);
  await context.close();
});
