"use strict";
// Loads the page again in place whenever the server says that something changed.

let wanted = false;
let loading = false;

async function load() {
  wanted = true;
  if (loading) {
    return;
  }
  loading = true;
  try {
    while (wanted) {
      wanted = false;
      const response = await fetch(location.href);
      if (response.redirected) {
        location.reload();
        return;
      }
      if (response.ok) {
        replace(new DOMParser().parseFromString(await response.text(), "text/html"));
      }
    }
  } finally {
    loading = false;
  }
}

function replace(fresh) {
  const focused = document.activeElement?.id;
  document.querySelector("main").replaceWith(fresh.querySelector("main"));
  if (focused) {
    document.getElementById(focused)?.focus();
  }
}

document.addEventListener("submit", (event) => {
  const button = event.submitter;
  const erases = button?.classList.contains("erases") || button?.id === "forget";
  if (erases && !confirm(`${button.getAttribute("aria-label") ?? button.textContent}?`)) {
    event.preventDefault();
  }
});

new EventSource("/live").onmessage = load;
