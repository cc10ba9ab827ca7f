// The demo page keeps itself up to date, and copies.
//
// The page says in data-stamp what it shows. Every two seconds, while somebody looks, the stamp is asked for; when it
// is another one, the page is fetched and the parts that change by themselves are put in the old ones' place. What is
// open stays open, and a part in which somebody types or stands is left alone until the next time.
(function () {
  "use strict";

  var PAUSE_MS = 2000;
  var PARTS = ["phone", "messages", "clock", "wire"];

  function copyButtons() {
    if (!navigator.clipboard) return;
    document.querySelectorAll("button.copy").forEach(function (button) {
      button.hidden = false;
    });
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("button.copy");
    var source = button && document.getElementById(button.dataset.copy);
    if (!source) return;
    navigator.clipboard.writeText(source.textContent).then(function () {
      var words = button.textContent;
      if (words === button.dataset.done) return;
      button.textContent = button.dataset.done;
      setTimeout(function () {
        button.textContent = words;
      }, 1500);
    });
  });

  function replace(id, fresh) {
    var old = document.getElementById(id);
    var next = fresh.getElementById(id);
    if (!old || !next || old.contains(document.activeElement)) return;
    next.querySelectorAll("details[id]").forEach(function (details) {
      var before = document.getElementById(details.id);
      if (before) details.open = before.open;
      else if (details.classList.contains("exchange")) details.classList.add("fresh");
    });
    old.replaceWith(document.adoptNode(next));
  }

  function drawAnew(stage) {
    return fetch(window.location.pathname.replace(/\/return$/, "") + window.location.search, { cache: "no-store" })
      .then(function (reply) {
        return reply.ok ? reply.text() : "";
      })
      .then(function (html) {
        var fresh = new DOMParser().parseFromString(html, "text/html");
        var next = fresh.querySelector(".stage");
        if (!next) return;
        PARTS.forEach(function (id) {
          replace(id, fresh);
        });
        stage.dataset.stamp = next.dataset.stamp;
        copyButtons();
        document.dispatchEvent(new CustomEvent("accord:drawn"));
      });
  }

  function look(stage) {
    if (document.hidden) return Promise.resolve();
    return fetch(stage.dataset.stampUrl, { cache: "no-store" })
      .then(function (reply) {
        return reply.ok ? reply.text() : stage.dataset.stamp;
      })
      .then(function (stamp) {
        if (stamp !== stage.dataset.stamp) return drawAnew(stage);
      })
      .catch(function () {
        // The server is away; it is asked again.
      });
  }

  function watch(stage) {
    setTimeout(function () {
      look(stage).then(function () {
        watch(stage);
      });
    }, PAUSE_MS);
  }

  function openTarget() {
    var target = window.location.hash && document.getElementById(window.location.hash.slice(1));
    if (target && target.tagName === "DETAILS") target.open = true;
  }

  copyButtons();
  openTarget();
  window.addEventListener("hashchange", openTarget);
  var stage = document.querySelector(".stage[data-stamp]");
  if (stage) watch(stage);
})();
