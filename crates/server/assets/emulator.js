// The demo's mini program, and an emulator of the wallet app around it.
//
// In the app, my.call("qicardSignContract", {authUrl, extParams: {}}, callback) opens the wallet's page over the
// mini program, and the callback is called when the page is done: with {authCode}, or with {error, errorMessage}
// (6001 user refused, 6002 network, 6003 not signed, 7001 not known). A browser has no such layer. So the
// emulator goes to the page at top level, never into a frame, and remembers in sessionStorage that a call waits;
// the page comes back to /demo/qi/return with the result in the fragment, and the call goes on where it stood.
(function () {
  "use strict";

  var WAITING = "accord.demo.call";
  var PATIENCE_MS = 60 * 60 * 1000;

  // The emulator.
  var my = {
    call: function (name, params, callback) {
      var url = params && params.authUrl;
      if (name !== "qicardSignContract" || !/^https?:\/\//i.test(url || "")) {
        callback({ error: "6003", errorMessage: "not a call this emulator knows, or no authUrl" });
        return;
      }
      if (navigator.onLine === false) {
        callback({ error: "6002", errorMessage: "the network failed" });
        return;
      }
      sessionStorage.setItem(WAITING, JSON.stringify({ authUrl: url, since: Date.now() }));
      window.location.assign(url);
    },
  };
  window.my = my;

  function waiting() {
    try {
      var call = JSON.parse(sessionStorage.getItem(WAITING));
      return call && Date.now() - call.since < PATIENCE_MS ? call : null;
    } catch (fault) {
      return null;
    }
  }

  // Goes on with the call that waits, if the address says how it ended.
  function resume(callback) {
    var given = new URLSearchParams(window.location.hash.slice(1));
    if (!given.has("authCode") && !given.has("error")) return false;
    // The code does not stay in the address or in the history.
    window.history.replaceState(null, "", window.location.pathname + window.location.search);
    var expected = waiting();
    sessionStorage.removeItem(WAITING);
    var result = given.get("authCode")
      ? { authCode: given.get("authCode") }
      : { error: given.get("error") || "7001", errorMessage: given.get("errorMessage") || "" };
    if (expected) {
      callback(result);
    } else {
      // Nobody asked in this tab: show it, and let the reader decide.
      fill(result);
    }
    return true;
  }

  // The mini program: it passes what it got on to the merchant.
  function fill(result) {
    var form = document.getElementById("code-form");
    if (!form) return null;
    form.elements.authCode.value = result.authCode || "";
    form.elements.error.value = result.error || "";
    form.elements.errorMessage.value = result.errorMessage || "";
    return form;
  }

  function contractSigned(result) {
    var form = fill(result);
    if (form) form.submit();
  }

  function start() {
    if (resume(contractSigned)) return;
    var place = document.getElementById("emulator");
    if (!place) return;
    var sign = document.getElementById("sign-contract");
    var giveUp = document.getElementById("give-up");
    sign.hidden = false;
    sign.onclick = function () {
      my.call("qicardSignContract", { authUrl: place.dataset.authUrl, extParams: {} }, contractSigned);
    };
    // The reader came back without an outcome: in the app, closing the page is a refusal.
    giveUp.hidden = !waiting();
    giveUp.onclick = function () {
      sessionStorage.removeItem(WAITING);
      contractSigned({ error: "6001", errorMessage: "the user closed the page" });
    };
  }

  // Also when the browser brings the page back as it was.
  window.addEventListener("pageshow", start);
})();
