// Notices on the PC when the phone that scanned the code has it, has lost it, or has decided; then the page leads on.
//
// It asks every two seconds, less often when nobody looks or the server does not answer. Without scripts the page's
// link does the same.
(function () {
  "use strict";

  var panel = document.getElementById("handover");
  if (!panel) return;

  var often = 2000;
  var seldom = 15000;
  var failures = 0;

  function show(state) {
    panel.querySelectorAll("[data-when]").forEach(function (part) {
      part.hidden = part.dataset.when !== state;
    });
  }

  function ask() {
    fetch(panel.dataset.state, { credentials: "same-origin", cache: "no-store" })
      .then(function (reply) {
        if (!reply.ok) throw new Error(String(reply.status));
        return reply.json();
      })
      .then(function (told) {
        failures = 0;
        if (told.state === "over") {
          // In place of this page, so that going back does not come here again.
          window.location.replace(panel.dataset.page);
          return;
        }
        show(told.state);
        again();
      })
      .catch(function () {
        failures += 1;
        if (failures < 40) again();
      });
  }

  function again() {
    window.setTimeout(ask, document.hidden ? seldom : Math.min(seldom, often * (1 + failures)));
  }

  again();
})();
