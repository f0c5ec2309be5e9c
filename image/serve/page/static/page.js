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
        const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
        morph(document.querySelector("main"), fresh.querySelector("main"));
      }
    }
  } finally {
    loading = false;
  }
}

// Changes only what is different, so that a button that is about to be pressed stays in its place.
function morph(old, fresh) {
  if (old.isEqualNode(fresh)) {
    return;
  }
  if (old.tagName === "TBODY") {
    morphRows(old, fresh);
  } else if (alike(old, fresh)) {
    for (const { name, value } of fresh.attributes) {
      old.setAttribute(name, value);
    }
    [...old.children].forEach((child, number) => morph(child, fresh.children[number]));
  } else {
    old.replaceWith(document.importNode(fresh, true));
  }
}

function morphRows(old, fresh) {
  const known = new Map([...old.children].filter((row) => row.id).map((row) => [row.id, row]));
  [...fresh.children].forEach((row, number) => {
    const mine = known.get(row.id) ?? document.importNode(row, true);
    if (old.children[number] !== mine) {
      old.insertBefore(mine, old.children[number] ?? null);
    }
    morph(mine, row);
  });
  while (old.childElementCount > fresh.childElementCount) {
    old.lastElementChild.remove();
  }
}

// The same elements in the same order, with all words inside of them.
function alike(old, fresh) {
  const words = [...fresh.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  const names = (element) => [...element.children].map((child) => child.tagName).join();
  return (
    fresh.childElementCount > 0 &&
    !words &&
    old.tagName === fresh.tagName &&
    names(old) === names(fresh)
  );
}

document.addEventListener("submit", (event) => {
  const button = event.submitter;
  const erases = button?.classList.contains("erases") || button?.id === "forget";
  if (erases && !confirm(`${button.getAttribute("aria-label") ?? button.textContent}?`)) {
    event.preventDefault();
  }
});

// A browser tries again when a connection breaks, but not after an error as answer, which a server
// that is being restarted, or one that wants a new login, may give.
function listen() {
  const source = new EventSource("/live");
  source.onmessage = load;
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) {
      setTimeout(() => {
        listen();
        load();
      }, 3000);
    }
  };
}

listen();
