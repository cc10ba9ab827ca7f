// The authorization page by itself: without scripts, in two directions, against hostile text, with foreign merchants.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { agree, approve, firstStep, prepareAlipayPlus, press, refuse } from "./steps.mjs";
import * as steps from "./steps.mjs";
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

const prepareQi = (language, contractDesc) => steps.prepareQi(wallet, language, contractDesc);

test("without scripts the whole decision works, and the browser follows to a foreign merchant", async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  // A merchant of its own origin, as far as a browser is concerned.
  const seen = [];
  const merchant = createServer((request, reply) => {
    if (request.url.startsWith("/back")) seen.push(request.url);
    reply.setHeader("content-type", "text/html");
    reply.end("<h1>merchant</h1>");
  });
  await new Promise((resolve) => merchant.listen(0, "127.0.0.1", resolve));
  const origin = `http://localhost:${merchant.address().port}`;
  const authRedirectUrl = `${origin}/back?x=1`;
  const normalUrl = prepareAlipayPlus(wallet, { authRedirectUrl });
  await page.goto(normalUrl);
  assert.match(await page.textContent("main"), /Example Shop Ltd/);
  await agree(page, wallet);
  await page.waitForURL(`${origin}/**`);
  assert.match(seen[0], /^\/back\?x=1&authCode=281\d{3}13[0-9A-Z]{24}&authState=st-0001$/);
  // Back, and the same question is answered, not asked again; no second code is made.
  await page.goto(normalUrl);
  await page.waitForURL(`${origin}/**`);
  assert.equal(seen[1], seen[0]);
  await context.close();
  merchant.close();

  const stranger = await (await browser.newContext()).newPage();
  await stranger.goto(normalUrl);
  assert.equal(await stranger.locator("form").count(), 0, "decided is decided");
  assert.doesNotMatch(await stranger.content(), /281\d{3}13/, "and a stranger gets no code");
});

test("Arabic is written from right to left, and the language can be changed", async () => {
  const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
  const authUrl = prepareQi("ar-IQ", "اشتراك النادي، 25000 دينار شهرياً");
  await page.goto(authUrl);
  assert.equal(await page.getAttribute("html", "dir"), "rtl");
  assert.equal(await page.getAttribute("html", "lang"), "ar-IQ");
  assert.match(await page.textContent("main"), /اشتراك النادي/);
  await page.click("a.switch");
  await page.waitForLoadState("load");
  assert.equal(await page.getAttribute("html", "dir"), "ltr");
  await firstStep(page, wallet, { agree: false });
  assert.equal(await page.getAttribute("html", "lang"), "en-US", "the language stays when the form comes back");
  await page.close();
});

test("the box must be ticked, a wrong PIN says nothing about the user, a right one shows who it is, masked", async () => {
  const page = await (await browser.newContext()).newPage();
  const authUrl = prepareQi("en-US", "Gym plan");
  await page.goto(authUrl);
  assert.doesNotMatch(await page.content(), /\+964/, "nothing about any user before the sign-in");
  await firstStep(page, wallet, { pin: "000000" });
  const wrong = await page.textContent('[role="alert"]');
  await firstStep(page, wallet, { loginId: "+9647000000000", pin: "000000" });
  assert.equal(await page.textContent('[role="alert"]'), wrong, "an unknown user looks like a wrong PIN");
  await firstStep(page, wallet, { agree: false });
  assert.match(await page.textContent(".signed-in"), /\+964\*+/);
  await page.fill('[name="pin"]', wallet.user.pin);
  await page.check('[name="agree"]');
  await press(page, approve);
  assert.match(await page.textContent("main"), /\+964\*+/, "the second step names the account, masked");
  await page.click(approve);
  await page.waitForLoadState();
  const wallet_page = await page.context().newPage();
  await wallet_page.goto(`${wallet.base}/wallet`);
  assert.equal(await wallet_page.locator('main [name="pin"]').count(), 1, "agreeing leaves no open wallet behind");
  await wallet_page.close();
  await page.waitForURL(/\/demo\/qi\/return/);
  await page.context().close();
});

test("text of merchants is text: no markup, no script, no override of direction", async () => {
  const page = await browser.newPage();
  const complaints = [];
  page.on("dialog", (dialog) => complaints.push(dialog.message()));
  page.on("pageerror", (fault) => complaints.push(String(fault)));
  const hostile = '<script>alert(1)</script><img src=x onerror=alert(2)>"\'\u202eelcyc';
  const authUrl = prepareQi("en-US", hostile);
  await page.goto(authUrl);
  assert.match(await page.textContent("main"), /<script>alert\(1\)<\/script>/);
  assert.equal(await page.locator("main script, main img[src='x']").count(), 0);
  assert.deepEqual(complaints, []);
  await page.close();
});

test("the page is never framed, cached or named to others", async () => {
  const authUrl = prepareQi("en-US", "Gym plan");
  const reply = await fetch(authUrl);
  assert.equal(reply.headers.get("cache-control"), "no-store");
  assert.equal(reply.headers.get("referrer-policy"), "no-referrer");
  assert.match(reply.headers.get("content-security-policy"), /frame-ancestors 'none'/);
  const page = await browser.newPage();
  await page.route("http://shop.test/**", (route) =>
    route.fulfill({ contentType: "text/html", body: `<iframe src="${authUrl}"></iframe>` }),
  );
  await page.goto("http://shop.test/");
  await page.waitForLoadState("networkidle");
  const inner = page.frames().find((frame) => frame !== page.mainFrame());
  const text = await inner?.textContent("body").catch(() => "");
  assert.doesNotMatch(text ?? "", /Gym plan/);
  await page.close();
});

test("a form from another site decides nothing", async () => {
  const authUrl = prepareQi("en-US", "Gym plan");
  const authId = new URL(authUrl).searchParams.get("authId");
  const reply = await fetch(`${wallet.base}/authorize`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", origin: "https://evil.example" },
    body: new URLSearchParams({ authId, csrf: "x", decision: "refuse" }),
    redirect: "manual",
  });
  assert.equal(reply.status, 200);
  const after = await wallet.post("/sandbox/decide", { authId, decision: "refuse" });
  assert.equal(after.status, 200, "the session was still open");
});
