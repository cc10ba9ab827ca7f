// Agreements and debits of the sandbox's first user, made as merchants make them.
import assert from "node:assert/strict";
import { alipayPlusPrepare } from "./wallet.mjs";

/// The user's approval of what a page asks for; the authorization code.
export async function decided(wallet, url) {
  const { loginId, pin } = wallet.user;
  const reply = await wallet.post("/sandbox/decide", { url, loginId, pin, decision: "approve" });
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
  return reply.body.authCode;
}

async function newest(wallet) {
  const user = await wallet.get(`/sandbox/users/${encodeURIComponent(wallet.user.loginId)}`);
  return user.agreements[0].agreementId;
}

/// An agreement with the Qi merchant: its id and its access token.
export async function agreeQi(wallet, extendInfo) {
  const { authUrl } = wallet.call("prepare", "qi", {
    scopes: "AGREEMENT_PAY",
    extendInfo: JSON.stringify({ language: "en-US", ...extendInfo }),
  });
  const authCode = await decided(wallet, authUrl);
  const applied = wallet.call("applyToken", "qi", { grantType: "AUTHORIZATION_CODE", authCode });
  return { id: await newest(wallet), token: applied.accessToken };
}

/// An agreement over Alipay+: its id.
export async function agreeAlipayPlus(wallet, referenceAgreementId) {
  const { normalUrl } = wallet.call("prepare", "alipayPlus", alipayPlusPrepare(wallet, { referenceAgreementId }));
  const authCode = await decided(wallet, normalUrl);
  const { pspId, acquirerId, walletName } = wallet.sandbox.alipayPlus;
  const applied = wallet.call("applyToken", "alipayPlus", {
    pspId,
    acquirerId,
    authClientId: "M0001",
    referenceMerchantId: "M0001",
    customerBelongsTo: walletName,
    grantType: "AUTHORIZATION_CODE",
    authCode,
  });
  assert.ok(applied.accessToken, JSON.stringify(applied));
  return { id: await newest(wallet) };
}

/// A debit by the Qi merchant.
export function pay(wallet, token, paymentRequestId, value, orderDescription) {
  return wallet.call("pay", "qi", {
    productCode: "51051000101000100031",
    paymentRequestId,
    paymentAuthCode: token,
    paymentAmount: { currency: "IQD", value },
    order: { orderDescription },
  });
}
