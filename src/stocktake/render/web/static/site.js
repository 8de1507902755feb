// What the pages do better with a script: sorting, filtering and comparing. The part of the address after #? holds the state,
// so that a page can be sent to somebody as it is; nothing is stored, and nothing is asked of any server.
(function () {
  "use strict";

  function read() {
    return new URLSearchParams(location.hash.indexOf("#?") === 0 ? location.hash.slice(2) : "");
  }

  function write(state) {
    var kept = new URLSearchParams();
    state.forEach(function (value, key) { if (value) kept.set(key, value); });
    var text = kept.toString();
    var address = text ? "#?" + text : location.pathname + location.search;
    try { history.replaceState(null, "", address); } catch (error) { location.hash = text ? "?" + text : ""; }
  }

  // Other places of a page, such as the skip link's, are no state: what is chosen stays as it is.
  function onState(call) {
    window.addEventListener("hashchange", function () {
      if (location.hash === "" || location.hash.indexOf("#?") === 0) call();
    });
  }

  // A skip link moves the focus and leaves the address alone, for that holds what is chosen.
  Array.prototype.forEach.call(document.querySelectorAll(".nhsuk-skip-link"), function (link) {
    link.addEventListener("click", function (event) {
      event.preventDefault();
      document.getElementById("main").focus();
      document.getElementById("main").scrollIntoView();
    });
  });

  function plain(text) {
    return (text || "").normalize("NFKD").replace(/[\u0300-\u036f]/g, "").replace(/[\u2018\u2019]/g, "'").replace(/\s+/g, " ").trim().toLowerCase();
  }

  function own(text) {
    return (text || "").toUpperCase().split(/[\s,;]+/).filter(Boolean);
  }

  function list(table) {
    var body = table.tBodies[0];
    var rows = Array.prototype.slice.call(body.rows);
    var form = document.querySelector("[data-filter]");
    var marks = Array.prototype.slice.call(document.querySelectorAll(".paper [data-code]"));
    var heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
    var data = rows.map(function (row, place) {
      return {
        row: row, place: place, code: row.dataset.code || "", kind: row.dataset.kind || "", region: row.dataset.region || "",
        text: plain(row.cells[0].textContent),
        keys: Array.prototype.map.call(row.cells, function (cell) {
          var value = cell.dataset.sort;
          return value === undefined ? null : (value !== "" && !isNaN(value)) ? Number(value) : value.toLowerCase();
        })
      };
    });
    heads.forEach(function (head) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.textContent = "";
      head.appendChild(button);
      button.addEventListener("click", function () {
        var state = read();
        var same = state.get("sort") === head.dataset.key;
        state.set("sort", head.dataset.key);
        state.set("order", same && state.get("order") !== "down" ? "down" : "up");
        write(state);
        apply();
      });
    });

    function sort(state) {
      var column = heads.findIndex(function (head) { return head.dataset.key === state.get("sort"); });
      var down = state.get("order") === "down" ? -1 : 1;
      heads.forEach(function (head, i) {
        if (i === column) head.setAttribute("aria-sort", down < 0 ? "descending" : "ascending");
        else head.removeAttribute("aria-sort");
      });
      var order = data.slice().sort(function (a, b) {
        if (column < 0) return a.place - b.place;
        var x = a.keys[column], y = b.keys[column];
        // What has no figure comes last either way.
        if (x === null || y === null) return (x === null) - (y === null) || a.place - b.place;
        return (x < y ? -1 : x > y ? 1 : 0) * down || a.place - b.place;
      });
      var fragment = document.createDocumentFragment();
      order.forEach(function (entry) { fragment.appendChild(entry.row); });
      body.appendChild(fragment);
    }

    // A kind or region that no option has is no filter.
    function chosen(state, name) {
      var value = state.get(name), field = form.elements[name];
      return value && field && Array.prototype.some.call(field.options, function (o) { return o.value === value; }) ? value : "";
    }

    function filter(state) {
      if (!form) return;
      var kind = chosen(state, "kind"), region = chosen(state, "region");
      var find = plain(state.get("find"));
      var mine = own(state.get("own"));
      var shown = {}, count = 0;
      data.forEach(function (entry) {
        var fits = (!find || entry.text.indexOf(find) >= 0) &&
          (!kind || entry.kind === kind) &&
          (!region || entry.region === region) &&
          (!mine.length || mine.indexOf(entry.code.toUpperCase()) >= 0);
        entry.row.hidden = !fits;
        if (fits) { shown[entry.code] = true; count += 1; }
      });
      marks.forEach(function (mark) { mark.classList.toggle("dim", !shown[mark.dataset.code]); });
      var unknown = mine.filter(function (code) { return !data.some(function (e) { return e.code.toUpperCase() === code; }); });
      form.querySelector("[data-count]").textContent =
        "Showing " + count + " of " + data.length + "." + (unknown.length ? " Not known: " + unknown.join(", ") + "." : "");
    }

    function apply() {
      var state = read();
      sort(state);
      filter(state);
    }

    function fill() {
      var state = read();
      ["find", "kind", "region", "own"].forEach(function (name) {
        var field = form && form.elements[name];
        if (field) field.value = field.options ? chosen(state, name) : state.get(name) || "";
      });
      apply();
    }

    if (form) {
      form.hidden = false;
      form.addEventListener("submit", function (event) { event.preventDefault(); });
      form.addEventListener("input", function () {
        var state = read();
        ["find", "kind", "region", "own"].forEach(function (name) {
          if (form.elements[name]) state.set(name, form.elements[name].value);
        });
        write(state);
        apply();
      });
    }
    onState(fill);
    fill();
  }

  function compare(form) {
    var table = document.querySelector("[data-table]");
    var heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
    var codes = heads.slice(1).map(function (head) { return head.dataset.code; });
    var names = heads.slice(1).map(function (head) { return head.querySelector("abbr").title; });
    // The whole table is read once and taken out of the page; what is chosen is built anew from it.
    var lines = Array.prototype.map.call(table.tBodies[0].rows, function (row) {
      return { head: row.cells[0], cells: Array.prototype.slice.call(row.cells, 1) };
    });
    var selects = Array.prototype.slice.call(form.querySelectorAll("select"));

    // Places are kept: the second box stays the second, even while the first is empty.
    function wanted() {
      return (read().get("own") || "").toUpperCase().split(",").map(function (code) { return code.trim(); });
    }

    function draw() {
      var asked = wanted(), chosen = [], unknown = [], twice = [], more = 0;
      asked.forEach(function (code) {
        if (!code) return;
        var i = codes.findIndex(function (c) { return c.toUpperCase() === code; });
        if (i < 0) unknown.push(code);
        else if (chosen.indexOf(i) >= 0) twice.push(codes[i]);
        else if (chosen.length < selects.length) chosen.push(i);
        else more += 1;
      });
      var head = document.createElement("tr");
      head.appendChild(heads[0]);
      chosen.forEach(function (i) {
        var cell = document.createElement("th");
        cell.scope = "col";
        cell.className = "figure";
        cell.textContent = names[i] + " (" + codes[i] + ")";
        head.appendChild(cell);
      });
      var body = document.createElement("tbody");
      lines.forEach(function (line) {
        var row = body.insertRow();
        row.appendChild(line.head);
        chosen.forEach(function (i) { row.appendChild(line.cells[i]); });
      });
      table.tHead.replaceChildren(head);
      table.replaceChild(body, table.tBodies[0]);
      form.querySelector("[data-count]").textContent =
        (chosen.length ? "Comparing " + chosen.length + "." : "Choose at least one.") +
        (twice.length ? " Chosen twice: " + twice.join(", ") + "." : "") +
        (unknown.length ? " Not known: " + unknown.join(", ") + "." : "") +
        (more ? " Only the first five are shown." : "");
    }

    // The boxes are set from the address when the page opens, never while somebody is choosing in them.
    function fill() {
      var known = wanted().map(function (code) { return codes.find(function (c) { return c.toUpperCase() === code; }) || ""; });
      selects.forEach(function (select, k) { select.value = known[k] || ""; });
      draw();
    }

    form.hidden = false;
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    form.addEventListener("change", function () {
      var state = read();
      state.set("own", selects.map(function (s) { return s.value; }).join(",").replace(/,+$/, ""));
      write(state);
      draw();
    });
    onState(fill);
    fill();
  }

  // A chart of lines: which are shown, what they are in a year, and where the scale begins.
  function series(figure) {
    var form = figure.querySelector(".chart-controls");
    var boxes = Array.prototype.slice.call(form.querySelectorAll("input[type=checkbox]"));
    var year = form.querySelector("select");
    var button = form.querySelector("[data-switch]");
    var rows = Array.prototype.slice.call(figure.querySelectorAll("details tbody tr"));
    var names = Array.prototype.slice.call(figure.querySelectorAll("details thead th"), 1).map(function (cell) { return cell.textContent; });

    function shown(line) { return !boxes.length || boxes[line].checked; }

    function draw() {
      Array.prototype.forEach.call(figure.querySelectorAll("[data-line]"), function (part) {
        part.classList.toggle("dim", !shown(Number(part.dataset.line)));
      });
      var row = rows.find(function (r) { return r.cells[0].textContent === year.value; });
      form.querySelector("[data-read]").textContent = row ? year.value + ": " + names.map(function (name, i) {
        return shown(i) ? (name ? name + " " : "") + row.cells[i + 1].textContent : "";
      }).filter(Boolean).join("; ") + "." : "";
    }

    if (button) button.addEventListener("click", function () {
      var zero = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(zero));
      Array.prototype.forEach.call(figure.querySelectorAll("[data-scale]"), function (part) {
        part.hidden = (part.dataset.scale === "zero") !== zero;
      });
    });
    form.hidden = false;
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    form.addEventListener("change", draw);
    draw();
  }

  // A list of pages that is narrowed by the words of their titles.
  function find(form) {
    var items = Array.prototype.slice.call(document.querySelectorAll("[data-item]"));
    function narrow() {
      var words = plain(form.elements.find.value).split(" ").filter(Boolean);
      var count = 0;
      items.forEach(function (item) {
        var own = plain(item.textContent);
        var fits = words.every(function (word) { return own.indexOf(word) >= 0; });
        item.hidden = !fits;
        if (fits) count += 1;
      });
      Array.prototype.forEach.call(document.querySelectorAll("[data-group]"), function (group) {
        group.hidden = !group.querySelector("[data-item]:not([hidden])");
      });
      form.querySelector("[data-count]").textContent = "Showing " + count + " of " + items.length + ".";
    }
    form.hidden = false;
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    form.addEventListener("input", narrow);
    narrow();
  }

  // A region that does not scroll needs no stop for the keyboard.
  function stops() {
    Array.prototype.forEach.call(document.querySelectorAll(".scroll, .paper"), function (region) {
      if (region.scrollWidth > region.clientWidth) region.setAttribute("tabindex", "0");
      else region.removeAttribute("tabindex");
    });
  }
  window.addEventListener("resize", stops);
  window.addEventListener("load", stops);
  document.addEventListener("toggle", stops, true);

  Array.prototype.forEach.call(document.querySelectorAll("table[data-list]"), list);
  Array.prototype.forEach.call(document.querySelectorAll("[data-compare]"), compare);
  Array.prototype.forEach.call(document.querySelectorAll("[data-series]"), series);
  Array.prototype.forEach.call(document.querySelectorAll("[data-find]"), find);
})();
