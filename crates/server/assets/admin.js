// The overview of the operator console: fetches the page again every ten seconds and puts the new charts in place of the
// old ones. Without this file the page refreshes itself as a whole.
"use strict";

(() => {
  const EVERY_MS = 10000;
  const address = new URL(location.href);
  address.searchParams.set("live", "1");

  async function refresh() {
    if (document.hidden) return;
    try {
      const reply = await fetch(address, { credentials: "same-origin", headers: { accept: "text/html" } });
      if (reply.redirected) {
        // The sign-in is over.
        location.reload();
        return;
      }
      if (!reply.ok) return;
      const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
      for (const old of document.querySelectorAll("[data-live]")) {
        const name = CSS.escape(old.dataset.live);
        const found = fresh.querySelector(`[data-live="${name}"]`);
        if (found) old.replaceChildren(...found.cloneNode(true).childNodes);
      }
    } catch {
      // The node does not answer now; the next try may find it.
    }
  }

  setInterval(refresh, EVERY_MS);
})();
