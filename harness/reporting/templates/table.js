// Sorting and filtering of the table of transitions; without scripts the table stands as written.
(() => {
  const table = document.getElementById("table"), body = table.tBodies[0];
  const rows = [...body.rows], heads = [...table.tHead.rows[0].cells];
  const key = (row, i) => {
    const cell = row.cells[i], data = cell.dataset.key;
    return data === undefined ? cell.textContent.trim() : data === "" ? NaN : Number(data);
  };
  const compare = (a, b) =>
    typeof a === "string" ? a.localeCompare(b, undefined, { numeric: true }) : a - b;
  heads.forEach((head, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const absent = (k) => typeof k === "number" && isNaN(k); // always last
      rows.sort((r, s) => {
        const a = key(r, i), b = key(s, i);
        return absent(a) || absent(b) ? absent(a) - absent(b) : down ? compare(b, a) : compare(a, b);
      });
      body.append(...rows);
    });
  });
  const filters = document.querySelector(".filters");
  const choices = { verdict: document.getElementById("verdict"), model: document.getElementById("model") };
  const filter = () => {
    let shown = 0;
    for (const row of rows) {
      row.hidden = Object.entries(choices).some(([name, box]) => box.value && row.dataset[name] !== box.value);
      shown += !row.hidden;
    }
    document.getElementById("shown").textContent = `${shown} of ${rows.length} curves shown`;
  };
  filters.hidden = false;
  filters.addEventListener("change", filter);
  filter();
  // A printed page has no way to open what is folded.
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => (d.open = true)));
})();
