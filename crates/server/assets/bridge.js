// Hands the outcome of an agreement to the wallet app that shows this page.
//
// The app's web view offers one object, `accordWallet`: on Android with a method `contractResult(json)`, on iOS
// as a message handler. It is given {"authCode"} or {"error", "errorMessage"}, and nobody else is: no message is
// posted to windows. Where there is no such object, this is an ordinary browser: the page says what happened, leaves
// time to read it, and leads on to the return URL, which carries the same in its fragment, unless the person wants to
// stay. Where there is no return URL either, the page stays.
(function () {
  "use strict";

  var data = document.getElementById("contract-result");
  if (!data) return;

  var given = data.dataset;
  var result;
  if (given.authCode) {
    result = { authCode: given.authCode };
  } else {
    result = { error: given.error || "7001", errorMessage: given.errorMessage || "" };
  }

  if (!handToApp(result) && given.returnUrl) {
    leaveSoon(given.returnUrl);
  }

  function leaveSoon(url) {
    var note = document.getElementById("going-on");
    // In place of this page, so that going back does not come here again.
    var timer = window.setTimeout(function () { window.location.replace(url); }, 4000);
    note.hidden = false;
    document.getElementById("stay").addEventListener("click", function () {
      window.clearTimeout(timer);
      note.hidden = true;
    });
  }

  function handToApp(result) {
    try {
      if (window.accordWallet && typeof window.accordWallet.contractResult === "function") {
        window.accordWallet.contractResult(JSON.stringify(result));
        return true;
      }
      var handlers = window.webkit && window.webkit.messageHandlers;
      if (handlers && handlers.accordWallet) {
        handlers.accordWallet.postMessage(result);
        return true;
      }
    } catch (fault) {
      // An object that throws is as good as none.
    }
    return false;
  }
})();
