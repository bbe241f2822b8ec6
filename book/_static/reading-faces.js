// A page's source is saved, not shown: a browser would show a notebook as the text it is made of. A page that was opened
// from a file may not save another file, and a click would do nothing; there it is shown as before.
document.addEventListener("DOMContentLoaded", () => {
  if (location.protocol === "file:") return;
  for (const link of document.querySelectorAll("a.btn-download-source-button")) link.download = "";
});

// Tables that everybody can read: one that scrolls sideways can be reached and scrolled from the keyboard, and a corner
// without words is no header. One that is drawn with characters keeps its lines.
document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll(".cell_output table.dataframe")) {
    const frame = document.createElement("div");
    frame.className = "scrolling-table";
    frame.tabIndex = 0;
    frame.setAttribute("role", "group");
    frame.setAttribute("aria-label", "Table");
    table.replaceWith(frame);
    frame.append(table);
  }
  for (const printed of document.querySelectorAll(".cell_output pre")) {
    printed.classList.toggle("drawn-table", /[│┃]/.test(printed.textContent));
  }
  for (const header of document.querySelectorAll("article th")) {
    if (header.textContent.trim() === "") header.replaceWith(document.createElement("td"));
  }
});

// A term of the glossary shows its first sentence to the pointer and to the keyboard. It stays while the pointer is on it, and
// Escape takes it away.
document.addEventListener("DOMContentLoaded", () => {
  const note = document.createElement("div");
  note.id = "definition";
  note.setAttribute("role", "tooltip");
  let term = null;
  let leaving = 0;
  const hide = () => {
    clearTimeout(leaving);
    note.remove();
    term?.removeAttribute("aria-describedby");
    term = null;
  };
  const leave = () => {
    clearTimeout(leaving);
    leaving = setTimeout(hide, 200); // the way from the word to its sentence
  };
  const show = (link) => {
    hide();
    term = link;
    note.textContent = link.dataset.definition;
    link.setAttribute("aria-describedby", note.id);
    document.body.append(note);
    const word = link.getBoundingClientRect();
    const room = document.documentElement.clientWidth - note.offsetWidth - 8;
    note.style.left = `${window.scrollX + Math.max(8, Math.min(word.left, room))}px`;
    const above = word.bottom + note.offsetHeight + 8 > window.innerHeight;
    note.style.top = `${window.scrollY + (above ? word.top - note.offsetHeight - 4 : word.bottom + 4)}px`;
  };
  for (const link of document.querySelectorAll("a[data-definition]")) {
    link.addEventListener("mouseenter", () => show(link));
    link.addEventListener("focus", () => show(link));
    link.addEventListener("mouseleave", leave);
    link.addEventListener("blur", hide);
  }
  note.addEventListener("mouseenter", () => clearTimeout(leaving));
  note.addEventListener("mouseleave", leave);
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
});

// What opens the lessons of a chapter in the menu says so, too.
document.addEventListener("DOMContentLoaded", () => {
  for (const opener of document.querySelectorAll("nav.bd-links li.has-children > details > summary")) {
    const chapter = opener.closest("li").querySelector("a").textContent.trim();
    opener.setAttribute("aria-label", `Lessons of ${chapter}`);
  }
});

// A button that copies code says so to those who do not see its picture.
document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("button.copybtn")) button.setAttribute("aria-label", "Copy");
});

// A page that was opened from a file may not read the others, so a search finds pages and cannot quote them. It says why.
document.addEventListener("DOMContentLoaded", () => {
  const results = document.getElementById("search-results");
  if (location.protocol !== "file:" || !results) return;
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
  const words = document.createElement("p");
  words.className = "no-excerpts";
  words.textContent =
    "The results come without excerpts: this book was opened from a file, and a browser lets no such page read another one. " +
    "With a web server, such as python -m http.server in the book's folder, there are excerpts.";
  results.before(words);
});
