// From a PC to a phone with two browsers: the QR code, the number, and who goes back to the merchant.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { look } from "./looks.mjs";
import { press } from "./steps.mjs";
import { alipayPlusPrepare, startBrowser, startWallet } from "./wallet.mjs";

const PHONE = {
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
  userAgent: "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/143.0.0.0 Mobile Safari/537.36",
};
const PC = {
  viewport: { width: 1280, height: 900 },
  userAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/143.0.0.0 Safari/537.36",
};

let wallet;
let browser;
let merchant;
let seen;
before(async () => {
  wallet = await startWallet();
  browser = await startBrowser();
  merchant = createServer((request, reply) => {
    if (request.url.startsWith("/back")) seen.push(request.url);
    reply.setHeader("content-type", "text/html");
    reply.end("<title>merchant</title><h1>merchant</h1>");
  });
  await new Promise((resolve) => merchant.listen(0, "127.0.0.1", resolve));
});
after(async () => {
  await browser?.close();
  merchant?.close();
  await wallet?.stop();
});

function prepare() {
  seen = [];
  const authRedirectUrl = `http://localhost:${merchant.address().port}/back?x=1`;
  return wallet.call("prepare", "alipayPlus", alipayPlusPrepare(wallet, { terminalType: "WEB", authRedirectUrl }));
}

async function openOn(device, url, more = {}) {
  const context = await browser.newContext({ ...device, ...more });
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

// What a camera sees: the handle's address, read from the image by the page that shows it is of no use to a browser
// without a camera, so the test takes prepare's codeValue, and checks that the page's image is there and drawn.
async function numberShownBesideACode(page) {
  const image = page.locator("#handover img");
  await image.waitFor();
  assert.ok(await image.evaluate((img) => img.complete && img.naturalWidth > 0), "the code is drawn");
  return (await page.textContent("#handover .number strong")).trim();
}

async function typeNumber(phone, number) {
  await phone.fill('[name="number"]', number);
  await phone.click('button[type="submit"]');
  await phone.waitForLoadState("load");
}

async function decide(page, decision) {
  await page.fill('[name="loginId"]', wallet.user.loginId);
  await page.fill('[name="pin"]', wallet.user.pin);
  if (decision === "approve") await page.check('[name="agree"]');
  const button = `button[name="decision"][value="${decision}"]`;
  await press(page, button);
  await press(page, button);
}

for (const language of ["en-US", "ar-IQ"]) {
  test(`a phone approves, and the PC goes back by itself (${language})`, async () => {
    const { normalUrl, codeValue } = prepare();
    const pc = await openOn(PC, `${normalUrl}&lang=${language}`, { locale: language });
    const complaints = [];
    pc.on("console", (line) => line.type() === "error" && complaints.push(line.text()));
    const number = await numberShownBesideACode(pc);
    await look(pc, "handover-pc", language);
    assert.ok(!codeValue.includes(new URL(normalUrl).searchParams.get("authId")), "the code does not name the page");

    const phone = await openOn(PHONE, codeValue, { locale: language });
    assert.match(await phone.textContent("main"), /Windows/);
    await look(phone, "handover-phone", language);
    assert.equal(await phone.getAttribute("html", "lang"), language);
    assert.equal(await phone.locator('[name="pin"]').count(), 0, "no page before the number");
    await typeNumber(phone, String(10 + ((Number(number) - 9) % 90)));
    assert.equal(await phone.locator('[role="alert"]').count(), 1);
    await look(phone, "handover-phone-wrong", language);
    await typeNumber(phone, number);
    assert.equal(await phone.locator('[name="pin"]').count(), 1);
    assert.equal(await phone.locator("#handover").count(), 0, "a phone shows no code");
    await pc.locator('#handover [data-when="taken"]').waitFor({ state: "visible" });
    assert.equal(await pc.locator("#handover img").isVisible(), false);
    await look(pc, "handover-pc-taken", language);

    await decide(phone, "approve");
    await look(phone, "handover-phone-done", language);
    assert.equal(new URL(phone.url()).origin, wallet.base, "the phone stays");
    await pc.waitForURL(/\/back\?/, { timeout: 20_000 });
    assert.match(seen[0], /^\/back\?x=1&authCode=281\d{3}13[0-9A-Z]{24}&authState=st-0001$/);
    assert.equal(seen.length, 1, "and nobody else went there");
    assert.deepEqual(complaints, [], "nothing was blocked by the policy");

    const stranger = await openOn(PC, normalUrl);
    assert.equal(await stranger.locator("form").count(), 0);
    assert.doesNotMatch(await stranger.content(), /281\d{3}13/);
    for (const page of [pc, phone, stranger]) await page.context().close();
  });
}

test("a refusal on the phone leads the PC back without a code", async () => {
  const { normalUrl, codeValue } = prepare();
  const pc = await openOn(PC, normalUrl);
  const number = await numberShownBesideACode(pc);
  const phone = await openOn(PHONE, codeValue);
  await typeNumber(phone, number);
  await decide(phone, "refuse");
  await look(phone, "handover-phone-refused", "en-US");
  await pc.waitForURL(/\/back\?/, { timeout: 20_000 });
  assert.equal(seen[0], "/back?x=1&authState=st-0001");
  await pc.context().close();
  await phone.context().close();
});

test("without scripts the link on the PC leads on, and the page decides by itself as well", async () => {
  const { normalUrl, codeValue } = prepare();
  const pc = await openOn(PC, normalUrl, { javaScriptEnabled: false });
  const number = (await pc.textContent("#handover .number strong")).trim();
  const phone = await openOn(PHONE, codeValue, { javaScriptEnabled: false });
  await typeNumber(phone, number);
  await decide(phone, "approve");
  await pc.click("#handover a");
  await pc.waitForURL(/\/back\?/);
  assert.match(seen[0], /authCode=281/);
  await pc.context().close();
  await phone.context().close();
});

test("three wrong numbers close the code, on the PC too, and the PC can still decide", async () => {
  const { normalUrl, codeValue } = prepare();
  const pc = await openOn(PC, normalUrl);
  const number = Number(await numberShownBesideACode(pc));
  const phone = await openOn(PHONE, codeValue);
  for (const by of [1, 2, 3]) await typeNumber(phone, String(10 + ((number - 10 + by) % 90)));
  assert.equal(await phone.locator("form").count(), 0);
  await look(phone, "handover-phone-dead", "en-US");
  await pc.locator('#handover [data-when="dead"]').waitFor({ state: "visible" });
  await look(pc, "handover-pc-dead", "en-US");
  await decide(pc, "approve");
  await pc.waitForURL(/\/back\?/);
  assert.match(seen[0], /authCode=281/);
  await pc.context().close();
  await phone.context().close();
});
