// What the first page weighs, whether anything in it moves, and how soon it can be used on a slow network.
// The time is measured and printed, not asserted: machines differ. docs/page.md keeps a reading.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { prepareAlipayPlus, prepareQi } from "./steps.mjs";
import { sizes } from "./shots.mjs";
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

// 150 ms there and back, 1.6 Mbit/s down, 750 kbit/s up.
const SLOW = { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 93_750 };

/// Opens the page for the first time on a slow network; what came over it and how long it took.
async function firstVisit(url, viewport) {
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  const network = await context.newCDPSession(page);
  await network.send("Network.enable");
  await network.send("Network.emulateNetworkConditions", SLOW);
  let bytes = 0;
  const files = [];
  network.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength));
  network.on("Network.responseReceived", ({ response }) => files.push(new URL(response.url).pathname));
  await page.addInitScript(() => {
    window.shifts = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.shifts.push(entry.value);
    }).observe({ type: "layout-shift", buffered: true });
  });
  await page.goto(url, { waitUntil: "networkidle" });
  const seen = await page.evaluate(() => ({
    painted: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    usable: performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd,
    loaded: performance.getEntriesByType("navigation")[0].loadEventEnd,
    shift: window.shifts.reduce((sum, value) => sum + value, 0),
  }));
  await context.close();
  return { bytes, files, ...seen };
}

for (const [name, size, ask] of [
  ["Qi on a phone", "phone", () => prepareQi(wallet, "ar-IQ", "اشتراك النادي، 25,000 دينار شهرياً")],
  ["Alipay+ on a phone", "phone", () => prepareAlipayPlus(wallet)],
  ["Alipay+ on a PC, with the QR code", "pc", () => prepareAlipayPlus(wallet, { terminalType: "WEB" })],
]) {
  test(`the first page is light and lies still: ${name}`, async (t) => {
    const seen = await firstVisit(ask(), sizes[size]);
    const usable = Math.max(seen.painted, seen.usable);
    t.diagnostic(`${(seen.bytes / 1024).toFixed(1)} KiB in ${seen.files.length} files, usable after ${usable.toFixed(0)} ms, whole after ${seen.loaded.toFixed(0)} ms`);
    assert.ok(seen.bytes > 5_000, "something was measured");
    assert.ok(seen.bytes < 60_000, `${seen.bytes} bytes: ${seen.files}`);
    assert.equal(seen.shift, 0, "no layout shift");
  });
}
