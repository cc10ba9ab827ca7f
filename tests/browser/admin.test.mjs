// The operator console in Chromium: every page in both languages, by roles, without scripts; axe finds nothing.
import assert from "node:assert/strict";
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { shoot, sizes } from "./shots.mjs";
import { accessible, look } from "./looks.mjs";
import { press } from "./steps.mjs";
import { alipayPlusPrepare, startBrowser, startWallet } from "./wallet.mjs";

const password = "a long password of an operator";
const pages = ["", "/agreements", "/payments", "/unresolved", "/notifications", "/users", "/clients", "/journal"];

let wallet;
let browser;
let paid;

before(async () => {
  wallet = await startWallet({
    prepare(dir, accord) {
      appendFileSync(join(dir, "accord.toml"), "\n[admin]\nconsole = true\n");
      writeFileSync(join(dir, "password"), password, { mode: 0o600 });
      for (const role of ["viewer", "operator", "key_officer"]) {
        accord("operator", "add", "--data", dir, "--name", role.replace("_", "-"), "--role", role, "--password-file", join(dir, "password"));
      }
    },
  });
  browser = await startBrowser();
  const { normalUrl } = wallet.call("prepare", "alipayPlus", alipayPlusPrepare(wallet));
  const { loginId, pin } = wallet.user;
  await wallet.post("/sandbox/decide", { url: normalUrl, loginId, pin, decision: "approve" });
  const { authUrl } = wallet.call("prepare", "qi", { scopes: "AGREEMENT_PAY", extendInfo: JSON.stringify({ contractDesc: "Gym" }) });
  const { body } = await wallet.post("/sandbox/decide", { url: authUrl, loginId, pin, decision: "approve" });
  const { accessToken } = wallet.call("applyToken", "qi", { grantType: "AUTHORIZATION_CODE", authCode: body.authCode });
  paid = wallet.call("pay", "qi", {
    productCode: "51051000101000100031",
    paymentRequestId: "admin-1",
    paymentAuthCode: accessToken,
    paymentAmount: { currency: "IQD", value: "15000000" },
    order: { orderDescription: "Gym, November" },
  });
});
after(async () => {
  await browser?.close();
  await wallet?.stop();
});

async function signedIn(name, more = {}) {
  const context = await browser.newContext({ viewport: sizes.pc, ...more });
  const page = await context.newPage();
  await page.goto(`${wallet.base}/admin/sign-in?lang=en-US`);
  await page.fill('[name="name"]', name);
  await page.fill('[name="password"]', password);
  await press(page, 'main button[type="submit"]');
  assert.equal(new URL(page.url()).pathname, "/admin");
  return page;
}

// One of each thing that has a page of its own, found by the lists as an operator finds it.
async function details(page) {
  const found = [`/users/${wallet.user.customerId}`];
  for (const [list, query] of [["agreements", `?q=${encodeURIComponent(wallet.user.loginId)}`], ["payments", `?q=${paid.paymentId}`], ["notifications", ""], ["clients", ""]]) {
    await page.goto(`${wallet.base}/admin/${list}${query}`);
    const here = new URL(page.url()).pathname.replace("/admin", "");
    const links = await page.$$eval(`main a[href^="/admin/${list}/"]`, (all) => all.map((link) => link.getAttribute("href")));
    const detail = here.startsWith(`/${list}/`) ? here : links[0]?.replace("/admin", "");
    assert.ok(detail, `${list} lists something: ${await page.textContent("main")}`);
    found.push(detail);
  }
  return found;
}

for (const lang of ["en-US", "ar-IQ"]) {
  test(`every page is accessible and fits: ${lang}`, async () => {
    const page = await signedIn("operator", { viewport: sizes.phone });
    for (const path of [...pages, ...(await details(page))]) {
      const reply = await page.goto(`${wallet.base}/admin${path}?lang=${lang}`);
      assert.equal(reply.status(), 200, path);
      const [, list, detail] = path.split("/");
      await look(page, `admin${list ? `-${list}` : ""}${detail ? "-detail" : ""}`, lang);
    }
    await page.context().close();
  });
}

test("a user is frozen by an operator, seen in the journal, and not by a viewer", async () => {
  const found = `/admin/users?q=${encodeURIComponent(wallet.user.loginId)}&login=${encodeURIComponent(wallet.user.loginId)}`;
  for (const [role, may] of [["viewer", false], ["operator", true]]) {
    const page = await signedIn(role, { javaScriptEnabled: false });
    await page.goto(wallet.base + found);
    await page.goto(`${wallet.base}/admin/users/${wallet.sandbox.users[0].customerId}`);
    await shoot(page, `admin-user-${role}`);
    const form = page.locator('form[action$="/freeze"]');
    assert.equal(await form.count(), may ? 1 : 0, role);
    if (may) {
      await form.locator('[name="confirm"]').check();
      await Promise.all([page.waitForEvent("load"), form.locator('button[type="submit"]').click()]);
      const user = await wallet.get(`/sandbox/users/${encodeURIComponent(wallet.user.loginId)}`);
      assert.equal(user.status, "frozen");
      const unfreeze = page.locator('form[action$="/unfreeze"]');
      await unfreeze.locator('[name="confirm"]').check();
      await Promise.all([page.waitForEvent("load"), unfreeze.locator('button[type="submit"]').click()]);
    }
    await page.context().close();
  }
});

test("no word in a table is broken, and the head of a column of numbers stands over them", async () => {
  for (const lang of ["en-US", "ar-IQ"]) {
    const page = await signedIn("operator", { viewport: sizes.phone });
    for (const path of ["/users/" + wallet.user.customerId, "/notifications", "/journal"]) {
      await page.goto(`${wallet.base}/admin${path}?lang=${lang}`);
      const broken = await page.$$eval(".table .badge", (all) =>
        all.filter((badge) => badge.getBoundingClientRect().height > 2 * parseFloat(getComputedStyle(badge).fontSize) + 8).map((badge) => badge.textContent),
      );
      assert.deepEqual(broken, [], `${path}, ${lang}`);
    }
    const ends = await page.$$eval(".table td.number", (all) =>
      all.map((cell) => [cell, cell.closest("table").tHead.rows[0].cells[cell.cellIndex]].map((part) => getComputedStyle(part).textAlign).join()),
    );
    assert.ok(ends.length > 0);
    assert.deepEqual([...new Set(ends)], ["end,end"], lang);
    await page.context().close();
  }
});

test("a wrong password is told plainly and opens nothing", async () => {
  const page = await (await browser.newContext({ viewport: sizes.phone })).newPage();
  await page.goto(`${wallet.base}/admin/sign-in?lang=en-US`);
  await page.fill('[name="name"]', "operator");
  await page.fill('[name="password"]', "guessed");
  await press(page, 'main button[type="submit"]');
  assert.equal(new URL(page.url()).pathname, "/admin/sign-in");
  await shoot(page, "admin-wrong-password");
  await accessible(page, "wrong password");
  const reply = await page.goto(`${wallet.base}/admin`);
  assert.equal(new URL(reply.url()).pathname, "/admin/sign-in");
  await page.context().close();
});
