// Tables that can be sorted by a button in each heading, searched where they are long, and that say
// what of them is out of sight.
(() => {
  "use strict";
  document.documentElement.classList.add("script");
  const LONG = 30;
  const compare = new Intl.Collator("en", { numeric: true }).compare;
  const announce = document.getElementById("announce");

  const key = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value === undefined ? cell.textContent.trim() : Number(cell.dataset.value);
  };

  // Numbers before words; what is empty stays last whichever way the table is sorted.
  const order = (a, b, sign) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    if (typeof a === "number" && typeof b === "number") return sign * (a - b);
    if (typeof a === typeof b) return sign * compare(a, b);
    return sign * (typeof a === "number" ? -1 : 1);
  };

  const sort = (table, heading) => {
    const ascending = heading.getAttribute("aria-sort") === "ascending";
    const first = heading.classList.contains("number") ? "descending" : "ascending";
    const way = heading.hasAttribute("aria-sort") ? (ascending ? "descending" : "ascending") : first;
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", way);
    const body = table.tBodies[0];
    const sign = way === "ascending" ? 1 : -1;
    const rows = [...body.rows].map((row) => [key(row, heading.cellIndex), row]);
    rows.sort((a, b) => order(a[0], b[0], sign));
    body.append(...rows.map(([, row]) => row));
    announce.textContent = `${table.caption.textContent}: sorted by ${heading.textContent}, ${way}`;
  };

  const find = (table) => {
    const label = document.createElement("label");
    const input = document.createElement("input");
    label.className = "find";
    input.type = "search";
    label.append("Find rows", input);
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase();
      let shown = 0;
      for (const row of table.tBodies[0].rows) {
        row.hidden = !row.textContent.toLowerCase().includes(words);
        shown += !row.hidden;
      }
      announce.textContent = `${shown} rows`;
    });
    table.closest(".table").querySelector(".tools").prepend(label);
  };

  // Columns that the width leaves out can be had by a button; what then is out of sight is shaded.
  const watch = (table) => {
    const box = table.closest(".table");
    const [scroll, columns, hint] = [".scroll", ".columns", ".hint"].map((at) => box.querySelector(at));
    const all = columns.textContent;
    const look = () => {
      const whole = table.classList.contains("whole");
      const missing = [...table.tHead.rows[0].cells].some((cell) => !cell.offsetWidth);
      columns.hidden = !whole && !missing;
      columns.textContent = whole ? "Fewer columns" : all;
      columns.setAttribute("aria-pressed", whole);
      const right = scroll.scrollWidth - scroll.clientWidth - scroll.scrollLeft > 1;
      const down = scroll.scrollHeight - scroll.clientHeight - scroll.scrollTop > 1;
      scroll.classList.toggle("more-right", right);
      scroll.classList.toggle("more-left", scroll.scrollWidth > scroll.clientWidth + 1);
      scroll.classList.toggle("more-down", down);
      hint.hidden = !right;
    };
    columns.addEventListener("click", () => {
      // Where every column comes to be shown by itself there is nothing to take back.
      table.classList.toggle("whole");
      look();
    });
    scroll.addEventListener("scroll", look, { passive: true });
    new ResizeObserver(look).observe(scroll);
    look();
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    for (const heading of table.tHead.rows[0].cells) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = heading.textContent;
      heading.replaceChildren(button);
      button.addEventListener("click", () => sort(table, heading));
    }
    if (table.tBodies[0].rows.length > LONG) find(table);
    watch(table);
  }
})();
