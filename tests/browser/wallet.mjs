// Starts the built sandbox on a fresh directory and a free port, and a Chromium to look at it.
import { spawn, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const root = new URL("../..", import.meta.url).pathname;
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const binary = join(target, "release", "accord");

export async function startWallet({ prepare } = {}) {
  const dir = mkdtempSync(join(tmpdir(), "accord-browser-"));
  const first = await start(dir);
  if (!prepare) return first;
  // What is configured before the start: the first one has made the files, the second one reads them.
  await first.halt();
  prepare(dir, (...args) => execFileSync(binary, args, { stdio: ["ignore", "pipe", "pipe"] }).toString());
  return start(dir);
}

async function start(dir) {
  const file = join(dir, "sandbox.json");
  rmSync(file, { force: true });
  const child = spawn(binary, ["dev", "--data", dir, "--listen", "127.0.0.1:0"], { stdio: "ignore" });
  for (let tries = 0; ; tries++) {
    if (child.exitCode !== null) throw new Error(`accord dev ended with ${child.exitCode}`);
    if (existsSync(file)) {
      const sandbox = JSON.parse(readFileSync(file, "utf8"));
      const ready = await fetch(`${sandbox.baseUrl}/health/ready`).catch(() => null);
      if (ready?.status === 200) return wallet(dir, child, sandbox);
    }
    if (tries > 1200) throw new Error("accord dev did not become ready");
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function wallet(dir, child, sandbox) {
  return {
    dir,
    sandbox,
    base: sandbox.baseUrl,
    demo: sandbox.baseUrl.replace("127.0.0.1", "localhost"),
    user: sandbox.users[0],
    // One signed call by the command line, as a merchant would make it.
    call(operation, as, body) {
      const args = ["call", operation, "--sandbox", dir, "--as", as, "-"];
      try {
        return JSON.parse(execFileSync(binary, args, { input: JSON.stringify(body), stdio: ["pipe", "pipe", "pipe"] }));
      } catch (fault) {
        return JSON.parse(fault.stdout.toString());
      }
    },
    async get(path) {
      return (await fetch(sandbox.baseUrl + path)).json();
    },
    async post(path, body) {
      const headers = { "content-type": "application/json" };
      const reply = await fetch(sandbox.baseUrl + path, { method: "POST", headers, body: JSON.stringify(body) });
      return { status: reply.status, body: await reply.json() };
    },
    async halt() {
      child.kill("SIGTERM");
      await new Promise((resolve) => (child.exitCode !== null ? resolve() : child.once("exit", resolve)));
    },
    async stop() {
      await this.halt();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

export function alipayPlusPrepare(wallet, more = {}) {
  const { pspId, acquirerId, walletName } = wallet.sandbox.alipayPlus;
  return {
    pspId,
    acquirerId,
    authClientId: "M0001",
    authClientName: "Example Shop Ltd",
    authClientDisplayName: "Example Shop",
    authRedirectUrl: "https://www.merchant.com/back?x=1",
    scopes: ["AGREEMENT_PAY", "USER_LOGIN_ID"],
    customerBelongsTo: walletName,
    authState: "st-0001",
    terminalType: "WAP",
    referenceAgreementId: `agr-${Math.random().toString(36).slice(2)}`,
    referenceMerchantId: "M0001",
    ...more,
  };
}
