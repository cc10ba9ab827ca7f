// The second step: what a forged, late, borrowed, repeated or lost proof of the PIN is worth, and what tabs, reloads and
// the back button do.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { agree, approve, firstStep, onward, prepareAlipayPlus, prepareQi, press, refuse, refuseTwice } from "./steps.mjs";
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

const ask = () => prepareQi(wallet, "en-US", "Gym plan");
const done = /\/demo\/qi\/return/;
const idOf = (url) => new URL(url).searchParams.get("authId");

/// Is the question still open? Says so by refusing it.
async function stillOpen(url) {
  const { status } = await wallet.post("/sandbox/decide", { authId: idOf(url), decision: "refuse" });
  return status === 200;
}

/// A page that has taken the first step.
async function half(context, url = ask()) {
  const page = await context.newPage();
  await page.goto(url);
  await firstStep(page, wallet);
  return { page, url };
}

/// What the second step's form would send.
const form = (page) => page.evaluate(() => new URLSearchParams(new FormData(document.querySelector("form"))).toString());

/// The same with other members, from within the page, so that its cookies go with it; the final address.
function send(page, body) {
  return page.evaluate(async (body) => {
    const reply = await fetch("/authorize", { method: "POST", body: new URLSearchParams(body), redirect: "manual" });
    return { type: reply.type, text: await reply.text().catch(() => "") };
  }, body);
}

/// A context whose pages may fetch: the policy forbids it to them, rightly.
const context = () => browser.newContext({ bypassCSP: true });
const proofOf = async (c) => (await c.cookies()).find((cookie) => cookie.name.includes("accord_agreed_"));

test("reloading and coming back to the second step burns nothing, and no PIN is in it", async () => {
  const c = await context();
  const { page } = await half(c);
  await page.reload();
  assert.match(page.url(), /step=approve/);
  assert.doesNotMatch(await page.content(), new RegExp(wallet.user.pin), "the PIN is not in the page");
  assert.ok(!(await proofOf(c)).value.includes(wallet.user.pin), "nor in the cookie");
  assert.equal((await proofOf(c)).httpOnly, true);
  await page.goBack();
  assert.equal(await page.locator('[name="pin"]').count(), 1);
  await page.goForward();
  await page.click("a.button");
  assert.equal(await page.locator('[name="agree"]').isChecked(), false, "the way back begins unticked again");
  await agree(page, wallet);
  await onward(page, done);
  assert.equal(await proofOf(c), undefined, "the proof is taken back");
  await c.close();
});

test("after deciding, back, reload and a second tab show the outcome and decide nothing", async () => {
  const c = await context();
  const { page: one, url } = await half(c);
  const { page: two } = await half(c, url);
  const sent = await form(two);
  await one.click(approve);
  await onward(one, done);
  const said = await send(two, `${sent}&decision=approve`);
  assert.equal(said.type, "opaqueredirect", "the form of the other tab is led to the outcome");
  await two.goto(`${url}&step=approve`);
  await onward(two, done);
  await two.goto(`${url}&step=refuse`);
  await onward(two, done);
  assert.doesNotMatch(two.url(), /6001/, "what was approved is not refused by another tab");
  assert.equal((await wallet.post("/sandbox/decide", { authId: idOf(url), decision: "refuse" })).status, 409);
  await c.close();
});

test("two agreements in two tabs keep their own proofs", async () => {
  const c = await context();
  const { page: one, url: first } = await half(c);
  const { page: two, url: second } = await half(c);
  await one.reload();
  assert.match(one.url(), /step=approve/, "the second tab did not take the first one's proof");
  await one.click(approve);
  await onward(one, done);
  assert.ok(await stillOpen(second), "the other agreement is not decided with it");
  assert.ok(!(await stillOpen(first)));
  await two.reload();
  assert.match(await two.textContent("h1"), /Already decided/);
  await c.close();
});

test("a proof is worth nothing when it is forged, of another session, another browser or too old", async () => {
  const c = await context();
  const { page, url } = await half(c);
  const proof = await proofOf(c);
  const again = async (name) => {
    await page.goto(`${url}&step=approve`);
    assert.match(await page.textContent('[role="alert"]'), /type it again/, name);
    assert.equal(await page.locator('[name="pin"]').count(), 1, name);
  };
  const sent = await form(page);
  for (const [name, value] of [
    ["another limit", proof.value.replace("en-US..", "en-US.9999999.")],
    ["another user", proof.value.replace(/^[^.]+/, wallet.sandbox.users[1].customerId)],
    ["a longer life", proof.value.replace(/\.(\d{13})\./, (_, until) => `.${Number(until) + 9e5}.`)],
    ["another end", proof.value.replace(/.$/, (last) => (last === "0" ? "1" : "0"))],
    ["nothing", ""],
    ["dots", "....."],
  ]) {
    assert.notEqual(value, proof.value, name);
    await c.addCookies([{ ...proof, value }]);
    await again(name);
    assert.match((await send(page, `${sent}&decision=approve`)).text, /type it again/, name);
  }

  // Another session's proof, under this one's name.
  const { url: other } = await half(c);
  const borrowed = (await c.cookies()).find((cookie) => cookie.name.includes("agreed") && cookie.name !== proof.name);
  await c.addCookies([{ ...proof, value: borrowed.value }]);
  await again("another session");

  // The right proof in another browser.
  const thief = await context();
  const stolen = await thief.newPage();
  await stolen.goto(url);
  await thief.addCookies([proof]);
  await stolen.goto(`${url}&step=approve`);
  assert.match(await stolen.textContent('[role="alert"]'), /type it again/, "another browser");
  await thief.close();

  // The right proof, too late.
  await c.addCookies([proof]);
  await page.goto(`${url}&step=approve`);
  assert.equal(await page.locator('[name="confirm"]').count(), 1, "untouched, it is good");
  await wallet.post("/sandbox/clock", { advanceSeconds: 181 });
  await press(page, approve);
  assert.match(await page.textContent('[role="alert"]'), /type it again/, "too late");
  assert.ok(await stillOpen(url));
  assert.ok(await stillOpen(other));
  await c.close();
});

test("the second step cannot be had without the first, nor its form with another's token", async () => {
  const c = await context();
  const page = await c.newPage();
  const url = ask();
  await page.goto(url);
  const csrf = await page.inputValue('[name="csrf"]');
  const body = { authId: idOf(url), csrf, confirm: "yes" };
  for (const decision of ["approve", "refuse"]) {
    const said = await send(page, { ...body, decision });
    assert.match(said.text, /This form was too old/, `the first form's token confirms no ${decision}`);
  }
  await press(page, refuse);
  const refusing = await page.inputValue('[name="csrf"]');
  const said = await send(page, { ...body, csrf: refusing, decision: "approve" });
  assert.match(said.text, /This form was too old/, "a token to refuse does not approve");
  assert.ok(await stillOpen(url));
  await c.close();
});

test("time that runs out on the second step ends in the page that says so", async () => {
  const c = await context();
  const page = await c.newPage();
  const url = prepareAlipayPlus(wallet);
  await page.goto(url);
  await firstStep(page, wallet);
  await wallet.post("/sandbox/clock", { advanceSeconds: 901 });
  await press(page, approve);
  assert.match(await page.textContent("h1"), /The time is over/);
  await c.close();
});

test("a browser without cookies is told so, and nothing is decided", async () => {
  const c = await context();
  const page = await c.newPage();
  const url = ask();
  await page.goto(url);
  await c.clearCookies();
  await firstStep(page, wallet);
  assert.match(await page.textContent('[role="alert"]'), /did not send our cookie/);
  await c.clearCookies();
  await press(page, refuse);
  assert.match(await page.textContent('[role="alert"]'), /did not send our cookie/);
  assert.ok(await stillOpen(url));
  await c.close();
});

test("who is signed in is not who agrees: another user's PIN decides for that user", async () => {
  const c = await context();
  const { page } = await half(c);
  const url = ask();
  await page.goto(url);
  assert.match(await page.textContent(".signed-in"), /\+964\*+/);
  await page.check('[name="agree"]');
  await press(page, approve);
  assert.match(await page.textContent('[role="alert"]'), /your PIN/, "signed in is not enough");
  const other = wallet.sandbox.users.find((user) => user.status === "active" && user.loginId !== wallet.user.loginId);
  await firstStep(page, wallet, { loginId: other.loginId, pin: other.pin });
  await page.click(approve);
  await onward(page, done);
  const { agreements } = await wallet.get(`/sandbox/users/${encodeURIComponent(other.loginId)}`);
  assert.equal(agreements.length, 1);
  await c.close();
});

test("a refusal is asked once more, and says so to the merchant", async () => {
  const c = await context();
  const page = await c.newPage();
  await page.goto(ask());
  await press(page, refuse);
  await page.click("a.button");
  await page.waitForLoadState("load");
  await refuseTwice(page);
  await onward(page, /6001/);
  await c.close();
});

test("limits typed in Arabic digits stand in the second step and hold afterwards", async () => {
  const c = await context();
  const page = await c.newPage();
  await page.goto(prepareQi(wallet, "ar-IQ", "اشتراك"));
  await page.click("details.fold > summary");
  await page.fill('[name="limitPerMonth"]', "٥٠٬٠٠٠");
  await firstStep(page, wallet);
  assert.match(await page.textContent("main"), /٥٠٬٠٠٠ دينار عراقي/);
  await page.click("a.switch");
  await page.waitForLoadState("load");
  assert.match(await page.textContent("main"), /50,000 IQD/, "the language changes, the step stays");
  await page.click(approve);
  await onward(page, done);
  await c.close();
});
