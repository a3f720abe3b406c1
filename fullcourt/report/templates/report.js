"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const heat = data.heatmap, details = heat.details, days = heat.days, size = data.page;
  const element = (id) => document.getElementById(id);
  const grid = element("grid"), reason = element("reason"), plain = element("plain");

  // What is on the page: a processor, the entities that match, and which of them the page shows.
  let processor = 0, matching = [], page = 0, rows = [], current = null;

  const escapes = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  const escaped = (text) => String(text).replace(/[&<>"']/g, (character) => escapes[character]);
  const text = (kind, detail) => details[kind].texts[details[kind].of[detail]];
  const entities = (number) => (number === 1 ? "1 entity" : `${number} entities`);

  // A row of the heatmap: the detail of every day, -1 where there is no verdict.
  function decode(runs) {
    const row = new Int32Array(days.length);
    let day = 0;
    for (const run of runs.split(",")) {
      const [code, length] = run.split("*");
      row.fill(Number(code) - 1, day, (day += Number(length || 1)));
    }
    return row;
  }

  function facts(detail) {
    if (detail < 0) return [["verdict", "not judged"], ["reason", "no fixture that day, or not listed"]];
    const listed = [["verdict", heat.verdicts[details.verdict[detail]]], ["reason", text("reason", detail)]];
    const required = details.required[detail], excused = details.excused[detail];
    if (required !== null) {
      listed.push(["games", `${details.actual[detail]} of ${required} required are there` + (excused ? `, ${excused} excused` : "")]);
    }
    if (text("missing", detail)) listed.push(["missing", text("missing", detail)]);
    if (text("issues", detail)) listed.push(["issues", text("issues", detail)]);
    return listed;
  }

  function command(entity, day) {
    const name = /^[\w.-]+$/.test(entity) ? entity : `'${entity.replaceAll("'", "'\\''")}'`;
    return `fullcourt explain ${name} --date ${day} --processor ${heat.processors[processor].name}`;
  }

  function cellFacts(cell) {
    const row = rows[cell.parentNode.rowIndex - 2], day = cell.cellIndex - 2;
    return { entity: row.entity, day: days[day], detail: row.codes[day] };
  }

  function describe(cell) {
    grid.querySelector("td.shown")?.classList.remove("shown");
    if (!cell) return;
    cell.classList.add("shown");
    const { entity, day, detail } = cellFacts(cell);
    const terms = facts(detail).map(([term, value]) => `<dt>${term}</dt><dd>${escaped(value)}</dd>`);
    if (detail >= 0) terms.push(`<dt>more</dt><dd><code>${escaped(command(entity, day))}</code></dd>`);
    reason.innerHTML = `<p><b>${escaped(entity)}</b> on ${day}</p><dl>${terms.join("")}</dl>`;
  }

  function choose(cell, focus) {
    if (!cell) return;
    if (current) current.tabIndex = -1;
    current = cell;
    const { entity, day, detail } = cellFacts(cell);
    cell.tabIndex = 0;
    cell.setAttribute("aria-label", [entity, day, ...facts(detail).map(([term, value]) => `${term}: ${value}`)].join(", "));
    if (focus) {
      cell.focus({ preventScroll: true });
      reveal(cell);
      describe(cell);
    }
  }

  // The headings stick to the frame's edges: a cell must not hide behind them.
  function reveal(cell) {
    const frame = element("frame"), left = grid.rows[2].cells[2].offsetLeft, top = grid.tHead.offsetHeight;
    if (cell.offsetLeft - left < frame.scrollLeft) frame.scrollLeft = cell.offsetLeft - left;
    const right = cell.offsetLeft + cell.offsetWidth - frame.clientWidth;
    if (right > frame.scrollLeft) frame.scrollLeft = right;
    if (cell.offsetTop - top < frame.scrollTop) frame.scrollTop = cell.offsetTop - top;
    const bottom = cell.offsetTop + cell.offsetHeight - frame.clientHeight;
    if (bottom > frame.scrollTop) frame.scrollTop = bottom;
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  grid.style.width = `${231 + 18 * days.length}px`; // as its columns add up to: the browser need not measure cells

  const heading = (() => {
    const months = [];
    for (const day of days) {
      const month = day.slice(0, 7);
      if (months.length && months.at(-1)[0] === month) months.at(-1)[1] += 1;
      else months.push([month, 1]);
    }
    const columns = `<col style="width:190px"><col style="width:40px">${'<col style="width:17px">'.repeat(days.length)}`;
    const top = months.map(([month, length]) => `<th colspan="${length}" scope="colgroup">${length > 2 ? month : ""}</th>`);
    const low = days.map((day) => `<th scope="col" title="${day}" abbr="${day}">${Number(day.slice(8))}</th>`);
    return `<colgroup>${columns}</colgroup><thead><tr><th class="entity"></th><th class="held"></th>${top.join("")}</tr>` +
      `<tr><th scope="col" class="entity">entity</th><th scope="col" class="held">held</th>${low.join("")}</tr></thead>`;
  })();

  const cells = (codes) => {
    let html = "";
    for (const code of codes) {
      if (code < 0) html += "<td></td>";
      else html += `<td class="v${details.verdict[code]}">${heat.letters[details.verdict[code]]}</td>`;
    }
    return html;
  };

  function draw() {
    const shown = heat.processors[processor], first = page * size;
    const pages = Math.max(1, Math.ceil(matching.length / size));
    rows = matching.slice(first, first + size).map((index) => ({ entity: shown.entities[index], held: shown.held[index], codes: decode(shown.rows[index]) }));
    current = null;
    grid.setAttribute("aria-rowcount", matching.length + 2);
    grid.setAttribute("aria-colcount", days.length + 2);
    const body = rows.map((row, index) =>
      `<tr aria-rowindex="${first + index + 3}"><th scope="row" class="entity" title="${escaped(row.entity)}">${escaped(row.entity)}</th>` +
      `<th scope="row" class="held" aria-label="days held back: ${row.held}">${row.held || ""}</th>${cells(row.codes)}</tr>`);
    grid.innerHTML = `${heading}<tbody>${body.join("")}</tbody>`;
    choose(grid.tBodies[0].rows[0]?.cells[2], false);
    reason.innerHTML = "<p>No cell chosen.</p>";
    element("previous").disabled = page === 0;
    element("next").disabled = page >= pages - 1;
    element("place").textContent = matching.length
      ? `Page ${page + 1} of ${pages}: ${first + 1} to ${first + rows.length} of ${entities(matching.length)}`
      : "No entity matches.";
    if (plain.open) drawPlain();
  }

  // A table from rows of texts; the columns named in `left` hold words.
  function tabulate(caption, names, body, left) {
    const side = (index) => (left.includes(index) ? ' class="text"' : "");
    const head = names.map((name, index) => `<th scope="col"${side(index)}>${escaped(name)}</th>`).join("");
    const lines = body.map((row) => `<tr>${row.map((value, index) => `<td${side(index)}>${escaped(value ?? "")}</td>`).join("")}</tr>`);
    return `<table><caption>${escaped(caption)}</caption><thead><tr>${head}</tr></thead><tbody>${lines.join("")}</tbody></table>`;
  }

  // The facts of the page's cells in words: one line an entity and reason, with the days it holds for.
  function drawPlain() {
    const body = [];
    for (const row of rows) {
      const held = new Map();
      row.codes.forEach((code, day) => {
        if (code >= 0) held.set(code, [...(held.get(code) ?? []), days[day]]);
      });
      for (const [code, its] of held) {
        const required = details.required[code];
        body.push([row.entity, heat.verdicts[details.verdict[code]], text("reason", code), its.length, its.join(" "),
          required === null ? "" : `${details.actual[code]} of ${required}`, details.excused[code],
          text("missing", code), text("issues", code)]);
      }
    }
    const names = ["entity", "verdict", "reason", "days", "which", "games there", "excused", "missing", "issues"];
    const caption = `${heat.processors[processor].name}; days that are not named have no verdict`;
    plain.querySelector("div").innerHTML = tabulate(caption, names, body, [0, 1, 2, 4, 7, 8]);
    for (const line of plain.querySelectorAll("tbody tr")) for (const at of [4, 7, 8]) line.cells[at].classList.add("long");
  }

  function search() {
    const wanted = element("find").value.trim().toLowerCase(), names = heat.processors[processor].entities;
    matching = [];
    names.forEach((name, index) => { if (name.toLowerCase().includes(wanted)) matching.push(index); });
    page = 0;
    draw();
  }

  function turn(by) {
    const pages = Math.max(1, Math.ceil(matching.length / size)), next = Math.min(pages - 1, Math.max(0, page + by));
    if (next === page) return false;
    page = next;
    draw();
    return true;
  }

  // A grid that scrolls under a mouse at rest must not take the word from the keyboard.
  grid.addEventListener("mousemove", (event) => {
    const cell = event.target.closest("td");
    if (cell && !cell.classList.contains("shown")) describe(cell);
  });
  grid.addEventListener("mouseleave", () => { if (current === document.activeElement) describe(current); });
  grid.addEventListener("click", (event) => choose(event.target.closest("td"), true));
  grid.addEventListener("focusin", (event) => { if (event.target === current) describe(current); });
  grid.addEventListener("keydown", (event) => {
    if (!current || event.altKey || event.metaKey) return;
    const row = current.parentNode, at = current.cellIndex, end = row.cells.length - 1, whole = event.ctrlKey;
    const body = grid.tBodies[0].rows, index = row.sectionRowIndex;
    let next;
    if (event.key === "ArrowRight") next = row.cells[Math.min(end, at + 1)];
    else if (event.key === "ArrowLeft") next = row.cells[Math.max(2, at - 1)];
    else if (event.key === "ArrowDown") next = body[Math.min(body.length - 1, index + 1)].cells[at];
    else if (event.key === "ArrowUp") next = body[Math.max(0, index - 1)].cells[at];
    else if (event.key === "Home") next = (whole ? body[0] : row).cells[2];
    else if (event.key === "End") next = (whole ? body[body.length - 1] : row).cells[end];
    else if (event.key === "PageDown" || event.key === "PageUp") {
      event.preventDefault();
      const forward = event.key === "PageDown";
      if (turn(forward ? 1 : -1)) choose(grid.tBodies[0].rows[forward ? 0 : rows.length - 1].cells[at], true);
      return;
    } else if (event.key === "Enter" || event.key === " ") next = current;
    else return;
    event.preventDefault();
    choose(next, true);
  });

  element("previous").addEventListener("click", () => turn(-1));
  element("next").addEventListener("click", () => turn(1));
  element("find").addEventListener("input", search);
  element("controls").addEventListener("submit", (event) => event.preventDefault());
  plain.addEventListener("toggle", () => { if (plain.open) drawPlain(); });
  for (const folded of document.querySelectorAll("details[data-table]")) {
    folded.addEventListener("toggle", () => {
      const space = folded.querySelector("div"), table = data.tables[folded.dataset.table];
      if (!folded.open || space.firstChild) return;
      const body = table.columns[0].map((_, index) => table.columns.map((column) => column[index]));
      const words = table.names.flatMap((_, index) => (typeof table.columns[index][0] === "string" ? [index] : []));
      space.innerHTML = tabulate(folded.querySelector("summary").textContent, table.names, body, words);
    });
  }

  const select = element("processor");
  heat.processors.forEach((shown, index) => select.add(new Option(`${shown.name} (${entities(shown.entities.length)})`, index)));
  select.addEventListener("change", () => { processor = Number(select.value); search(); });
  // The last processor with anything to show: what everything before it comes to.
  processor = Math.max(0, heat.processors.findLastIndex((shown) => shown.entities.length));
  select.value = processor;
  search();
})();
