// What a deployment configures, as its users meet it: one-time codes beside the PIN, and the wallet's apps.
import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { sizes } from "./shots.mjs";
import { look } from "./looks.mjs";
import { approve, firstStep, prepareAlipayPlus, press } from "./steps.mjs";
import { startBrowser, startWallet } from "./wallet.mjs";

let wallet;
let browser;
before(async () => {
  const print = Array(32).fill("AB").join(":");
  wallet = await startWallet({
    prepare: (dir) =>
      appendFileSync(
        join(dir, "accord.toml"),
        `
[step_up]
when = "always"
spacing = "0s"
tries = 2
[apps]
ios = ["ABCDE12345.iq.example.wallet"]
[[apps.android]]
package = "iq.example.wallet"
sha256_cert_fingerprints = ["${print}"]
`,
      ),
  });
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await wallet?.stop();
});

async function newestCode() {
  const { messages } = await wallet.get(`/sandbox/messages?loginId=${encodeURIComponent(wallet.user.loginId)}`);
  const codes = messages.map((message) => /(?<!\d)\d{6}(?!\d)/.exec(message.text)?.[0]).filter(Boolean);
  assert.ok(codes.length > 0, JSON.stringify(messages.slice(0, 3)));
  return codes[0];
}

for (const language of ["en-US", "ar-IQ"]) {
  test(`a one-time code is asked for, and every answer to it is said: ${language}`, async () => {
    const context = await browser.newContext({ viewport: sizes.phone, locale: language });
    const page = await context.newPage();
    await page.route("https://www.merchant.com/**", (route) => route.fulfill({ body: "merchant" }));
    await page.goto(prepareAlipayPlus(wallet));
    await firstStep(page, wallet);
    await look(page, "code", language);
    await press(page, approve);
    await look(page, "code-sent-again", language);
    await page.fill('[name="code"]', "000000");
    await press(page, approve);
    assert.equal(await page.locator("#code-hint").count(), 1);
    await look(page, "code-wrong", language);
    await page.fill('[name="code"]', "000000");
    await press(page, approve);
    await look(page, "code-over", language);
    await press(page, approve);
    await page.fill('[name="code"]', await newestCode());
    await page.click(approve);
    await page.waitForURL(/authCode=281/);
    await context.close();
  });

  test(`a phone is offered the wallet's app, and decides on the page where there is none: ${language}`, async () => {
    const userAgent = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/143.0.0.0 Mobile Safari/537.36";
    const context = await browser.newContext({ viewport: sizes.phone, locale: language, userAgent });
    const page = await context.newPage();
    const url = prepareAlipayPlus(wallet, { terminalType: "WAP" });
    await page.goto(url);
    const authId = new URL(url).searchParams.get("authId");
    assert.equal(await page.getAttribute(".app-link a", "href"), `accordwallet://authorize?authId=${authId}`);
    await look(page, "question-app", language);
    await firstStep(page, wallet);
    assert.match(page.url(), /step=approve/, "without the app the page is still there");
    await context.close();
    const pc = await browser.newPage({ locale: language });
    await pc.goto(url);
    assert.equal(await pc.locator(".app-link").count(), 0, "a PC has no such app");
    await pc.close();
  });
}
