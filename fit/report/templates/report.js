// What the report's page does beyond showing: marks that tell their numbers, a table that is searched, sorted and
// turned over. Without it the page is complete. All words come in as text; nothing here writes markup.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const SVG = "http://www.w3.org/2000/svg";
  const NEAR = 26; // CSS pixels between a pointer and the mark that it means
  const place = Object.fromEntries(data.columns.map((column, index) => [column.key, index]));
  const pictured = new Set(data.pictured);
  const written = new Intl.NumberFormat("en");

  const text = (row, index) => (typeof row[index] === "string" ? row[index] : row[index][0]);
  const small = (row, index) => (typeof row[index] === "string" ? "" : row[index][1]);
  const make = (tag, words, name) => {
    const element = document.createElement(tag);
    if (words) element.textContent = words;
    if (name) element.className = name;
    return element;
  };

  // The marks of a drawing: pointed at, or gone through with the arrow keys.

  function explore(svg) {
    const figure = svg.closest("figure"); // of both drawings, the wide and the narrow
    const tip = figure.querySelector(".tip");
    const marks = [...svg.querySelectorAll("[data-n]")].map(readMark).sort((a, b) => a.x - b.x || a.y - b.y);
    if (!marks.length) return;
    const field = marks[0].element.parentNode;
    const ring = document.createElementNS(SVG, "circle");
    ring.setAttribute("r", "8");
    ring.setAttribute("class", "ring");
    svg.setAttribute("role", "group");
    marks[0].element.setAttribute("tabindex", "0");
    let current = 0;
    let focused = false;

    function show(index) {
      const mark = marks[index];
      ring.setAttribute("cx", mark.x);
      ring.setAttribute("cy", mark.y);
      if (!ring.parentNode) field.append(ring);
      fill(tip, data.rows[mark.number]);
      tip.hidden = false;
      putBeside(tip, mark.element);
    }
    function hide() {
      ring.remove();
      tip.hidden = true;
    }
    function go(index) {
      marks[current].element.setAttribute("tabindex", "-1");
      current = Math.max(0, Math.min(marks.length - 1, index));
      marks[current].element.setAttribute("tabindex", "0");
      marks[current].element.focus({ preventScroll: true });
    }

    function point(event) {
      const index = nearest(marks, field, event);
      if (index >= 0) show(index);
      else leave();
    }
    function leave() {
      if (focused) show(current);
      else hide();
    }

    svg.addEventListener("pointermove", point);
    svg.addEventListener("pointerdown", point);
    // A finger that is lifted has left the drawing too; what it pointed at stays until it points elsewhere.
    svg.addEventListener("pointerleave", (event) => event.pointerType === "touch" || leave());
    document.addEventListener("pointerdown", (event) => figure.contains(event.target) || leave());
    svg.addEventListener("focusin", (event) => {
      const index = marks.findIndex((mark) => mark.element === event.target);
      if (index < 0) return;
      focused = true;
      if (index !== current) go(index);
      show(index);
    });
    svg.addEventListener("focusout", () => {
      focused = false;
      hide();
    });
    svg.addEventListener("keydown", (event) => {
      const to = {
        ArrowRight: current + 1, ArrowUp: current + 1, ArrowLeft: current - 1, ArrowDown: current - 1,
        PageUp: current + 10, PageDown: current - 10, Home: 0, End: marks.length - 1,
      }[event.key];
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (to !== undefined) go(to);
      else if (event.key === "Enter" && table) table.lead(marks[current].number);
      else if (event.key === "Escape") hide();
      else return;
      event.preventDefault();
    });
  }

  /** A mark with its place in the drawing; its title becomes its name, so that browsers show no second tip. */
  function readMark(element) {
    const title = element.querySelector("title");
    element.setAttribute("role", "img");
    element.setAttribute("aria-label", title.textContent);
    element.setAttribute("tabindex", "-1");
    title.remove();
    const [x, y] = element.getAttribute("transform").match(/-?[\d.]+(?:e-?\d+)?/g).map(Number);
    return { element, x, y, number: Number(element.dataset.n) };
  }

  function nearest(marks, field, event) {
    const matrix = field.getScreenCTM();
    const x = (event.clientX - matrix.e) / matrix.a;
    const y = (event.clientY - matrix.f) / matrix.d;
    let found = -1;
    let least = (NEAR / matrix.a) ** 2;
    marks.forEach((mark, index) => {
      const distance = (mark.x - x) ** 2 + (mark.y - y) ** 2;
      if (distance < least) [found, least] = [index, distance];
    });
    return found;
  }

  function fill(tip, row) {
    const images = text(row, place.images);
    const interval = small(row, place.images);
    const noun = images === "1" ? "image" : "images";
    const name = make("b");
    name.append(make("bdi", text(row, place.name)));
    const lines = [
      make("span", `${images} ${noun}${interval ? ` (${interval})` : ""}`),
      make("span", `score ${text(row, place.score)} ${small(row, place.score)}`.trim()),
      verdictMark(text(row, place.verdict)),
    ];
    if (small(row, place.name)) lines.push(make("span", small(row, place.name), "flag"));
    tip.replaceChildren(name, ...lines);
  }

  function putBeside(tip, element) {
    const frame = tip.parentNode.getBoundingClientRect();
    const mark = element.getBoundingClientRect();
    const left = mark.right - frame.left + 12;
    const flips = left + tip.offsetWidth > frame.width;
    const beside = flips ? mark.left - frame.left - tip.offsetWidth - 12 : left;
    tip.style.left = `${Math.max(0, Math.min(beside, frame.width - tip.offsetWidth))}px`;
    tip.style.top = `${Math.max(0, mark.top - frame.top - tip.offsetHeight - 10)}px`;
  }

  function verdictMark(words) {
    return make("span", words, `verdict v-${words.replaceAll(" ", "-")}`);
  }

  // The table: all rows are in the data block, at most `data.page` of them in the page.

  function bring(element) {
    const body = element.tBodies[0];
    const headings = [...element.tHead.rows[0].cells];
    const input = document.getElementById("search");
    const found = document.getElementById("found");
    const rows = document.getElementById("rows");
    const [back, on] = [document.getElementById("back"), document.getElementById("on")];
    const every = data.rows.map((_, number) => number);
    const sorted = { column: place.images, falling: true };
    let words = null; // what is searched in: made on the first search
    let ordered = every;
    let chosen = every;
    let page = 0;

    function select() {
      const wanted = plain(input.value).split(/\s+/).filter(Boolean);
      if (wanted.length && !words) words = data.rows.map(searched);
      chosen = wanted.length
        ? ordered.filter((number) => wanted.every((word) => words[number].includes(word)))
        : ordered;
      const all = `${written.format(every.length)} ${data.noun}`;
      found.textContent = wanted.length ? `${written.format(chosen.length)} of ${all}` : all;
      turn(0);
    }
    function turn(to) {
      const last = Math.max(0, Math.ceil(chosen.length / data.page) - 1);
      page = Math.max(0, Math.min(last, to));
      const first = page * data.page;
      const shown = chosen.slice(first, first + data.page);
      body.replaceChildren(...shown.map(drawRow));
      element.parentNode.scrollTop = 0;
      back.disabled = page === 0;
      on.disabled = page === last;
      rows.textContent = `${written.format(first + 1)}–${written.format(first + shown.length)} of ` +
        written.format(chosen.length);
      back.parentNode.hidden = last === 0;
    }
    function sort(column) {
      const number = data.columns[column].kind === "number";
      sorted.falling = sorted.column === column ? !sorted.falling : number;
      sorted.column = column;
      headings.forEach((heading) => heading.removeAttribute("aria-sort"));
      headings[column].setAttribute("aria-sort", sorted.falling ? "descending" : "ascending");
      ordered = order(column, sorted.falling);
      select();
    }
    /** Shows a concept's row and moves there. */
    function lead(number) {
      if (!chosen.includes(number)) {
        input.value = "";
        select();
      }
      const at = chosen.indexOf(number);
      turn(Math.floor(at / data.page));
      const row = body.rows[at % data.page];
      row.classList.add("here");
      row.tabIndex = -1;
      row.focus({ preventScroll: true });
      row.scrollIntoView({ block: "center" });
    }

    headings.forEach((heading, column) => {
      const button = make("button", heading.textContent);
      button.type = "button";
      button.addEventListener("click", () => sort(column));
      heading.replaceChildren(button);
    });
    headings[place.images].setAttribute("aria-sort", "descending");
    input.addEventListener("input", select);
    back.addEventListener("click", () => turn(page - 1));
    on.addEventListener("click", () => turn(page + 1));
    document.querySelector(".tools").hidden = false;
    const note = element.querySelector(".by-page");
    if (note) {
      note.textContent = `${written.format(every.length)} ${data.noun}, ${written.format(data.page)} at a time; ` +
        "all of them stand in concepts.csv beside this page.";
    }
    found.textContent = `${written.format(every.length)} ${data.noun}`;
    if (every.length > data.page) turn(0);
    return { lead };
  }

  /** Row numbers in the order of a column; what has no value comes last, ties keep the order of the data. */
  function order(column, falling) {
    const key = data.columns[column].kind === "number" ? amount : plain;
    const keys = data.rows.map((row) => key(text(row, column)));
    const sign = falling ? -1 : 1;
    const collator = new Intl.Collator("en", { numeric: true });
    const compare = data.columns[column].kind === "number" ? (a, b) => a - b : collator.compare;
    const absent = (value) => value === "" || Number.isNaN(value);
    return data.rows
      .map((_, number) => number)
      .sort((a, b) => absent(keys[a]) - absent(keys[b]) || (absent(keys[a]) ? 0 : sign * compare(keys[a], keys[b])) || a - b);
  }

  /** The number that a cell begins with, as it is printed: `1,230`, `−0.05`, `< 1 %`, `410–931`, `at most 5`. */
  function amount(words) {
    const number = words.replaceAll(",", "").match(/^(\D*?)(−?)(\d+(?:\.\d+)?)/);
    if (!number) return NaN;
    const beyond = number[1].includes("<") ? -0.5 : number[1].includes(">") ? 0.5 : 0;
    return (number[2] ? -1 : 1) * Number(number[3]) + beyond;
  }

  /** A text without case and marks, as names are counted in captions. */
  function plain(words) {
    return words.normalize("NFD").replace(/\p{Mn}/gu, "").toLowerCase();
  }

  function searched(row) {
    return plain([text(row, place.name), small(row, place.name), text(row, place.verdict),
      place.group === undefined ? "" : text(row, place.group)].join("\n"));
  }

  function drawRow(number) {
    const row = data.rows[number];
    const line = make("tr");
    line.append(...data.columns.map((column, index) => drawCell(number, row, column, index)));
    return line;
  }

  function drawCell(number, row, column, index) {
    const words = text(row, index);
    const note = small(row, index);
    const cell = make(column.kind === "name" ? "th" : "td");
    if (column.kind === "name") cell.scope = "row";
    if (column.kind === "number") cell.className = "n";
    if (column.kind === "verdict") cell.append(verdictMark(words));
    else if (column.kind === "number") cell.append(words);
    else cell.append(make("bdi", words));
    if (note) cell.append(" ", make("small", note, column.kind === "name" ? "flag" : ""));
    if (column.kind === "name" && pictured.has(number)) {
      const link = make("a", "pictures", "to");
      link.href = `#pictures-${number}`;
      cell.append(" ", link);
    }
    return cell;
  }

  /** Opens the panel that an address names: a browser may leave it closed. */
  function openNamed() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const panel = target && target.closest("details");
    if (!panel || panel.open) return;
    panel.open = true;
    target.scrollIntoView();
  }

  const element = document.querySelector("table.concepts");
  const table = element && bring(element);
  document.querySelectorAll(".curve svg").forEach(explore);
  addEventListener("hashchange", openNamed);
  openNamed();
  document.documentElement.classList.add("scripted");
})();
