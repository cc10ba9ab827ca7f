// Every page and state of an authorization: no violation that axe knows, nothing out of the side, and a picture to look at.
// Each is looked at on a phone and on a PC, light and dark, in both languages.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fits, look, whole } from "./looks.mjs";
import { agree, approve, firstStep, prepareAlipayPlus, prepareQi, press, refuse, refuseTwice } from "./steps.mjs";
import { shoot, sizes } from "./shots.mjs";
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

const long = Array.from({ length: 40 }, (_, i) => `${i + 1}. The member pays 25,000 dinars for each month of the plan.`).join("\n");
const hostile = [
  ["scripts", '<script>alert(1)</script><img src=x onerror="alert(2)"></title></bdi>'],
  ["overrides", "Shop \u202e\u2067yltnatsni dednufer\u2066 \u200fمتجر"],
  ["wide", `${"𒐫﷽Ｗ".repeat(85)}W`],
  ["one word", "W".repeat(256)],
  ["heaped", `Z${"\u0301\u0489\u035c\u0321".repeat(50)}algo`],
];

/// Name → what leads to it, from an open question in `language`.
const states = {
  "question-qi": async (page, ask) => page.goto(ask.qi("اشتراك النادي Gym plan\n25,000 دينار شهرياً")),
  "question-alipay": async (page, ask) => page.goto(ask.plus({ scopes: ["AGREEMENT_PAY", "USER_LOGIN_ID", "BASE_USER_INFO"] })),
  "question-qr": async (page, ask) => page.goto(ask.plus({ terminalType: "WEB" })),
  "question-data-only": async (page, ask) => page.goto(ask.plus({ scopes: ["USER_LOGIN_ID"] })),
  "question-long": async (page, ask) => page.goto(ask.qi(long)),
  "question-long-open": async (page, ask) => {
    await page.goto(ask.qi(long));
    await page.click("details.contract > summary");
  },
  "hint-box": async (page, ask) => {
    await page.goto(ask.qi("Gym plan"));
    await press(page, approve);
  },
  "hint-sign-in": async (page, ask) => {
    await page.goto(ask.qi("Gym plan"));
    await page.check('[name="agree"]');
    await press(page, approve);
  },
  "hint-wrong": async (page, ask) => {
    await page.goto(ask.qi("Gym plan"));
    await firstStep(page, wallet, { loginId: "+9647009999999", pin: "000000" });
  },
  "hint-limit": async (page, ask) => {
    await page.goto(ask.qi("Gym plan"));
    await page.click("details.fold > summary");
    await page.fill('[name="limitPerDebit"]', "much");
    await firstStep(page, wallet);
  },
  "hint-cookie": async (page, ask) => {
    await page.goto(ask.qi("Gym plan"));
    await page.context().clearCookies();
    await press(page, refuse);
  },
  "signed-in": async (page, ask) => {
    await page.goto(ask.qi("Gym plan"));
    await firstStep(page, wallet, { agree: false });
  },
  "confirm-approve": async (page, ask) => {
    await page.goto(ask.plus());
    await page.click("details.fold > summary");
    await page.fill('[name="limitPerMonth"]', "50,000");
    await firstStep(page, wallet);
  },
  "confirm-refuse": async (page, ask) => {
    await page.goto(ask.qi("Gym plan"));
    await press(page, refuse);
  },
  "hint-again": async (page, ask) => page.goto(`${ask.plus()}&step=approve`),
  text: async (page, ask) => page.goto(ask.qi(long).replace("/authorize?", "/authorize/text?")),
  "result-approved": async (page, ask) => {
    // A return to an app leaves the result where it is.
    await page.goto(ask.plus({ authRedirectUrl: "com.shop.app:/back", terminalType: "APP", osType: "ANDROID", osVersion: "15" }));
    await agree(page, wallet);
    await page.waitForSelector(".outcome.good");
  },
  "result-refused": async (page, ask) => {
    await page.goto(ask.plus({ authRedirectUrl: "com.shop.app:/back", terminalType: "APP", osType: "ANDROID", osVersion: "15" }));
    await refuseTwice(page);
    await page.waitForSelector(".outcome");
  },
  // A mini program's result in an ordinary browser goes on by itself; whoever reads slowly stays.
  "result-qi-approved": async (page, ask) => {
    await page.goto(ask.qi("Gym plan"));
    await agree(page, wallet);
    await page.click("#stay");
  },
  "result-qi-refused": async (page, ask) => {
    await page.goto(ask.qi("Gym plan"));
    await refuseTwice(page);
    await page.click("#stay");
  },
  "already-approved": async (page, ask) => decidedBefore(page, ask.qi("Gym plan"), "approve"),
  "already-refused": async (page, ask) => decidedBefore(page, ask.plus(), "refuse"),
  unknown: async (page) => page.goto(`${wallet.base}/authorize?authId=nothing`),
  "not-found": async (page) => {
    await page.goto(`${wallet.base}/nowhere`);
    assert.equal(await page.getAttribute("main a.button", "href"), "/");
  },
  home: async (page) => page.goto(wallet.base),
};

async function decidedBefore(page, url, decision) {
  const { loginId, pin } = wallet.user;
  const { status } = await wallet.post("/sandbox/decide", { url, loginId, pin, decision });
  assert.equal(status, 200);
  await page.goto(url);
}

for (const language of ["en-US", "ar-IQ"]) {
  test(`every state is accessible and fits: ${language}`, async () => {
    // One browser for all of them: it has the style sheet already, and forgets who was there.
    const context = await browser.newContext({ viewport: sizes.phone, locale: language });
    const page = await context.newPage();
    for (const [name, lead] of Object.entries(states)) {
      await context.clearCookies();
      await lead(page, {
        qi: (text) => prepareQi(wallet, language, text),
        plus: (more) => prepareAlipayPlus(wallet, more),
      });
      await look(page, name, language);
    }
    await context.close();
  });
}

test("the time that is over is said, with what to do", async () => {
  const urls = ["en-US", "ar-IQ"].flatMap((language) => [
    [`expired`, language, prepareAlipayPlus(wallet)],
    [`expired-qi`, language, prepareQi(wallet, language, "Gym plan")],
  ]);
  await wallet.post("/sandbox/clock", { advanceSeconds: 901 });
  for (const [name, language, url] of urls) {
    const page = await browser.newPage({ viewport: sizes.phone, locale: language });
    await page.goto(`${url}&lang=${language}`);
    if (language === "en-US") assert.match(await page.textContent("main"), /start again at the merchant/);
    if (name === "expired-qi") await page.click("#stay");
    await look(page, name, language);
    await page.close();
  }
});

test("names of merchants stay in their place, whatever they are made of", async () => {
  for (const [name, text] of hostile) {
    const page = await browser.newPage({ viewport: sizes.small, locale: "en-US" });
    const complaints = [];
    page.on("dialog", (dialog) => complaints.push(dialog.message()));
    page.on("pageerror", (fault) => complaints.push(String(fault)));
    const short = [...text].slice(0, 64).join("");
    await page.goto(prepareAlipayPlus(wallet, { authClientDisplayName: short, authClientName: text }));
    await fits(page, name);
    const shown = await page.textContent("h1");
    assert.doesNotMatch(shown, /[\u202a-\u202e\u2066-\u2069]/, name);
    const [heading, card] = await page.evaluate(() =>
      [".merchant", ".card"].map((part) => document.querySelector(part).getBoundingClientRect().toJSON()),
    );
    assert.ok(heading.bottom <= card.top, `${name}: the name ends above the agreement`);
    await shoot(page, `hostile-${name.replace(" ", "-")}`);
    await firstStep(page, wallet);
    await fits(page, `${name}, second step`);
    await shoot(page, `hostile-${name.replace(" ", "-")}-confirm`);
    assert.deepEqual(complaints, []);
    await page.close();
  }
});

test("at 320 px and with letters of twice the size nothing is lost", async () => {
  for (const language of ["en-US", "ar-IQ"]) {
    const page = await browser.newPage({ viewport: sizes.small });
    await page.goto(prepareQi(wallet, language, long));
    await fits(page, `${language}, 320 px`);
    // The letters alone, as a person sets them in the browser; and the page at 200 %, which is half as wide.
    await page.evaluate(() => (document.documentElement.style.fontSize = "200%"));
    await whole(page, `${language}, 320 px, letters of twice the size`);
    await shoot(page, `zoom-${language}`);
    await page.setViewportSize({ width: 640, height: 400 });
    await fits(page, `${language}, 640 px, letters of twice the size`);
    const cut = await page.$$eval("button, label, summary, dd, .switch", (parts) =>
      parts.filter((part) => part.scrollWidth > part.clientWidth + 1 && part.clientWidth > 0).map((part) => part.outerHTML),
    );
    assert.deepEqual(cut, []);
    await page.close();
  }
});

test("every target is high enough for a finger", async () => {
  const page = await browser.newPage({ viewport: sizes.phone });
  await page.goto(prepareQi(wallet, "en-US", "Gym plan"));
  const low = await page.$$eval("button, a.switch, summary, input:not([type=hidden], [type=checkbox]), label.check", (parts) =>
    parts.filter((part) => part.checkVisibility() && part.getBoundingClientRect().height < 44).map((part) => part.outerHTML),
  );
  assert.deepEqual(low, []);
  await page.close();
});

test("the keyboard alone is enough, and the focus is seen", async () => {
  const page = await browser.newPage();
  await page.clock.install();
  await page.goto(prepareQi(wallet, "en-US", "Gym plan"));
  const order = [];
  const tab = async (until) => {
    for (let presses = 0; presses < 25; presses++) {
      await page.keyboard.press("Tab");
      const at = await page.evaluate(() => {
        const { name, value, className, tagName } = document.activeElement;
        const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
        return { what: name ? (name === "decision" ? value : name) : className || tagName, seen: outlineStyle !== "none" && outlineWidth !== "0px" };
      });
      assert.ok(at.seen, `${at.what}: the focus is seen`);
      order.push(at.what);
      if (at.what === until) return;
    }
    assert.fail(`${until} is not reached: ${order}`);
  };
  await tab("skip");
  await tab("loginId");
  await page.keyboard.type(wallet.user.loginId);
  await tab("pin");
  await page.keyboard.type(wallet.user.pin);
  await tab("agree");
  await page.keyboard.press("Space");
  await tab("approve");
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
  assert.match(page.url(), /step=approve/);
  await tab("approve");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".outcome");
  await page.click("#stay");
  await page.clock.runFor(60_000);
  assert.match(page.url(), /\/authorize/, "who wants to stay stays");
  await page.focus(".outcome a.button.primary");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/demo\/qi\/return/);
  assert.deepEqual(order.slice(0, 2), ["skip", "switch"]);
  await page.close();
});
