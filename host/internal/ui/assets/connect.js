// What the pages do where there is JavaScript; all of them work without.
"use strict";
(() => {
  const body = document.body;
  const summary = document.getElementById("summary");
  if (summary) summary.focus();

  // A form is sent once.
  for (const form of document.querySelectorAll("form[data-once]")) {
    form.addEventListener("submit", () => {
      const button = form.querySelector("button.primary");
      setTimeout(() => { button.disabled = true; button.textContent = "Trying …"; });
    });
  }

  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      const input = document.getElementById(button.dataset.copy);
      input.select();
      try {
        await navigator.clipboard.writeText(input.value);
      } catch {
        document.execCommand("copy"); // where the page is not a secure context
      }
      document.getElementById("copied").textContent = "Copied.";
    });
  }

  // The session's page tells who opened or framed it how it ended; only those
  // origins that the session names hear it, and never a token.
  if (body.dataset.outcome) {
    const message = { type: "dinrail.connect", event: body.dataset.outcome, session_id: body.dataset.session, connection_id: body.dataset.connection || null };
    for (const origin of body.dataset.origins.split(" ").filter(Boolean)) {
      for (const who of [window.opener, window.parent !== window ? window.parent : null]) {
        if (who) who.postMessage(message, origin);
      }
    }
  }
})();
