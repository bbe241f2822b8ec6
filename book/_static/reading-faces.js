// A page's source is saved, not shown: a browser would show a notebook as the text it is made of. A page that was opened
// from a file may not save another file, and a click would do nothing; there it is shown as before.
document.addEventListener("DOMContentLoaded", () => {
  if (location.protocol === "file:") return;
  for (const link of document.querySelectorAll("a.btn-download-source-button")) link.download = "";
});

// Tables that everybody can read: one that scrolls sideways can be reached and scrolled from the keyboard, and a corner
// without words is no header.
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
  for (const header of document.querySelectorAll("article th")) {
    if (header.textContent.trim() === "") header.replaceWith(document.createElement("td"));
  }
});
