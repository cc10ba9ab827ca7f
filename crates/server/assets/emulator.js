// The demo's mini program, and an emulator of the wallet app around it.
//
// In the app, my.call("qicardSignContract", {authUrl, extParams: {}}, callback) opens the wallet's page over the
// mini program, and the callback is called when the page is done: with {authCode}, or with {error, errorMessage}
// (6001 user refused, 6002 network, 6003 not signed, 7001 not known). A browser has no such layer. So the
// emulator goes to the page at top level, never into a frame, and remembers in sessionStorage that a call waits;
// the page comes back to /demo/qi/return with the result in the fragment, and the call goes on where it stood.
//
// my.getAuthCode({scopes, success, fail}) shows no page. The app asks the wallet for a code of the user who is signed
// in; here the sandbox plays that user.
(function () {
  "use strict";

  var WAITING = "accord.demo.call";
  var CONSOLE = "accord.demo.console";
  var PATIENCE_MS = 60 * 60 * 1000;
  var MOST_LINES = 20;
  // What the mini program asks for at the log-in; the last three are asked of the user in life.
  var SCOPES = ["auth_base", "USER_ID", "USER_LOGIN_ID", "USER_NAME", "USER_CONTACTINFO", "NOTIFICATION_INBOX"];

  // The emulator.
  var my = {
    call: function (name, params, callback) {
      var url = params && params.authUrl;
      note("my.call(" + JSON.stringify(name) + ", " + JSON.stringify(params) + ", callback)");
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
    getAuthCode: function (options) {
      note("my.getAuthCode(" + JSON.stringify({ scopes: options.scopes }) + ")");
      var asked = { loginId: holder(), as: "qi", scopes: options.scopes };
      fetch("/sandbox/getAuthCode", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(asked),
      })
        .then(function (reply) {
          return reply.json();
        })
        .then(function (told) {
          if (told.authCode) {
            note("success(" + JSON.stringify({ authCode: told.authCode, authSuccessScopes: told.authSuccessScopes }) + ")");
            options.success(told);
          } else {
            fail((told.error && told.error.message) || "no code", told.authErrorScopes);
          }
        })
        .catch(function () {
          fail("the network failed");
        });

      function fail(message, scopes) {
        var fault = { error: 1002, errorMessage: message, authErrorScopes: scopes || {} };
        note("fail(" + JSON.stringify(fault) + ")");
        options.fail(fault);
      }
    },
  };
  window.my = my;

  // Whose phone it is.
  function holder() {
    var form = document.getElementById("log-in");
    return form ? form.elements.loginId.value : "";
  }

  // What went through the emulator, kept over the way to the wallet's page and back.
  function lines() {
    try {
      return JSON.parse(sessionStorage.getItem(CONSOLE)) || [];
    } catch (fault) {
      return [];
    }
  }

  function note(line) {
    sessionStorage.setItem(CONSOLE, JSON.stringify(lines().concat([line]).slice(-MOST_LINES)));
    showConsole();
  }

  function showConsole() {
    var place = document.getElementById("jsapi");
    var log = document.getElementById("jsapi-log");
    if (!place || !log) return;
    log.textContent = lines().join("\n\n");
    place.hidden = lines().length === 0;
  }

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
    note("callback(" + JSON.stringify(result) + ")");
    if (expected) {
      callback(result);
    } else {
      // Nobody asked in this tab: show it, and let the reader decide.
      var form = fill(result);
      if (form) form.hidden = false;
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
    document.querySelectorAll(".without-script").forEach(function (part) {
      part.hidden = true;
    });
    showConsole();
    if (resume(contractSigned)) return;
    wire();
  }

  // The mini program's buttons. Again when the page was drawn anew.
  function wire() {
    document.querySelectorAll(".without-script").forEach(function (part) {
      part.hidden = true;
    });
    var logIn = document.getElementById("log-in");
    if (logIn) {
      logIn.onsubmit = function (event) {
        event.preventDefault();
        my.getAuthCode({
          scopes: SCOPES,
          success: function (result) {
            logIn.elements.authCode.value = result.authCode;
            logIn.submit();
          },
          // The merchant's side says why there was none.
          fail: function () {
            logIn.submit();
          },
        });
      };
    }
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
      var result = { error: "6001", errorMessage: place.dataset.refused };
      note("callback(" + JSON.stringify(result) + ")");
      contractSigned(result);
    };
  }

  // Also when the browser brings the page back as it was.
  window.addEventListener("pageshow", start);
  document.addEventListener("accord:drawn", wire);
})();
