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

  // From an organisation's pages links lead to pages of measures on which it is marked.
  var parts = document.querySelector("[data-own]");
  if (parts) Array.prototype.forEach.call(document.querySelectorAll("main a[href^='../measures/']"), function (link) {
    if (!link.hash) link.hash = "#?mark=" + encodeURIComponent(parts.dataset.own);
  });

  function plain(text) {
    return (text || "").normalize("NFKD").replace(/[\u0300-\u036f]/g, "").replace(/[\u2018\u2019]/g, "'").replace(/\s+/g, " ").trim().toLowerCase();
  }

  function own(text) {
    return (text || "").toUpperCase().split(/[\s,;]+/).filter(Boolean);
  }

  // By what a cell sorts: a value of its own, else its band, else what it says; a dash is nothing.
  function key(cell) {
    var band = /\bb([1-7])\b/.exec(cell.className);
    var value = cell.dataset.sort !== undefined ? cell.dataset.sort : band ? band[1] : cell.textContent.trim().replace(/,/g, "");
    if (value === "" || value === "-") return null;
    // A range goes by its lower end.
    value = value.replace(/^(-?[\d.]+) to .*$/, "$1");
    return isNaN(value) ? plain(value) : Number(value);
  }

  // Gives each row of a table a grid of its own, as wide as the columns are now: a browser then lays out only the rows that
  // are seen. What the table's parts are is said besides, for some browsers tell it by how they are laid out.
  function quick(table, heads) {
    var wide = window.matchMedia("(min-width: 641px)"), heat = table.parentNode.classList.contains("heat");
    [["thead, tbody", "rowgroup"], ["tr", "row"], ["thead th", "columnheader"], ["tbody th", "rowheader"], ["td", "cell"]].forEach(function (pair) {
      Array.prototype.forEach.call(table.querySelectorAll(pair[0]), function (part) { part.setAttribute("role", pair[1]); });
    });
    table.setAttribute("role", "table");
    function measure() {
      table.classList.remove("quick");
      if (!wide.matches && !heat) return;
      var widths = heads.map(function (head) { return head.getBoundingClientRect().width; });
      var unit = heat ? "px" : "fr";
      table.style.setProperty("--columns", widths.map(function (w) { return "minmax(0," + w.toFixed(2) + unit + ")"; }).join(" "));
      table.style.setProperty("--wide", widths.reduce(function (a, b) { return a + b; }, 0).toFixed(2) + "px");
      table.classList.add("quick");
    }
    wide.addEventListener("change", measure);
    measure();
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
        keys: Array.prototype.map.call(row.cells, key)
      };
    });
    heads.forEach(function (head) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      // Repeated at the head of each printed page, where a browser does not paint a button again.
      head.dataset.label = head.textContent;
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

    quick(table, heads);
    var drawn = data;

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
      if (order.every(function (entry, i) { return entry === drawn[i]; })) return;
      drawn = order;
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
      var band = chosen(state, "band");
      var shown = {}, count = 0;
      data.forEach(function (entry) {
        var fits = (!find || entry.text.indexOf(find) >= 0) &&
          (!kind || entry.kind === kind) &&
          (!region || entry.region === region) &&
          (!band || outside(entry, band)) &&
          (!mine.length || mine.indexOf(entry.code.toUpperCase()) >= 0);
        entry.row.hidden = !fits;
        if (fits) { shown[entry.code] = true; count += 1; }
      });
      marks.forEach(function (mark) { mark.classList.toggle("dim", !shown[mark.dataset.code]); });
      var unknown = mine.filter(function (code) { return !data.some(function (e) { return e.code.toUpperCase() === code; }); });
      form.querySelector("[data-count]").textContent =
        "Showing " + count + " of " + data.length + "." + (unknown.length ? " Not known: " + unknown.join(", ") + "." : "");
    }

    // The heat map counts, after the name, what lies above and below the range and how many at most would by chance.
    function outside(entry, band) {
      var above = entry.keys[1] || 0, below = entry.keys[2] || 0;
      return band === "above" ? above > 0 : band === "below" ? below > 0 : above + below > (entry.keys[3] || 0);
    }

    // Organisations that a link asks to be marked: in the list, in the charts and in a sentence of their own.
    function mark(state) {
      var wanted = own(state.get("mark"));
      var told = document.querySelector("[data-marked]"), words = [];
      data.forEach(function (entry) {
        var fits = wanted.indexOf(entry.code.toUpperCase()) >= 0;
        entry.row.classList.toggle("mine", fits);
        if (fits && told) {
          var cells = entry.row.cells;
          words.push(cells[0].querySelector("a").textContent + ": " + Array.prototype.slice.call(heads, 1, 5).map(function (head, i) {
            return head.textContent.trim().toLowerCase() + " " + cells[i + 1].textContent.trim();
          }).join(", ") + ".");
        }
      });
      marks.forEach(function (m) { m.classList.toggle("chosen", wanted.indexOf(m.dataset.code.toUpperCase()) >= 0); });
      if (told) {
        told.textContent = words.join(" ");
        told.hidden = !words.length;
      }
    }

    function picks() {
      var shown = document.querySelector("[data-picked]"), link = shown.querySelector("a"), said = shown.querySelector("[role=status]");
      data.forEach(function (entry) {
        var box = document.createElement("input");
        box.type = "checkbox";
        box.value = entry.code;
        box.setAttribute("aria-label", "Compare " + entry.row.cells[0].textContent.trim());
        entry.row.cells[0].insertBefore(box, entry.row.cells[0].firstChild);
      });
      function draw() {
        var codes = Array.prototype.map.call(body.querySelectorAll("input:checked"), function (box) { return box.value; });
        link.hash = "#?own=" + codes.slice(0, 5).map(encodeURIComponent).join(",");
        shown.hidden = !codes.length;
        said.textContent = codes.length + " ticked." + (codes.length > 5 ? " Only the first five will be compared." : "");
      }
      body.addEventListener("change", draw);
      draw();
    }
    if (table.hasAttribute("data-pick")) picks();

    function apply() {
      var state = read();
      sort(state);
      filter(state);
      mark(state);
    }

    function fill() {
      var state = read();
      ["find", "kind", "region", "band", "own"].forEach(function (name) {
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
        ["find", "kind", "region", "band", "own"].forEach(function (name) {
          if (form.elements[name]) state.set(name, form.elements[name].value);
        });
        write(state);
        apply();
      });
    }
    onState(fill);
    fill();
  }

  // What the page of comparisons needs of one organisation: measure to score and band. Pages opened from a folder may
  // fetch nothing, but they may load a script that has the scores of all.
  var all = null;
  function scoresOf(code) {
    if (location.protocol === "file:") {
      all = all || new Promise(function (done, failed) {
        var script = document.createElement("script");
        script.src = "static/compare-data.js";
        script.onload = function () { done(window.stocktakeScores); };
        script.onerror = failed;
        document.head.appendChild(script);
      });
      return all.then(function (scores) { return scores[code] || {}; });
    }
    return fetch("api/v1/trusts/" + encodeURIComponent(code) + ".json").then(function (answer) { return answer.json(); }).then(function (told) {
      var out = {};
      // What is not shown is left out of the document.
      told.scores.forEach(function (one) { if (one.score !== undefined) out[one.code] = [one.score, one.band]; });
      return out;
    });
  }

  var TRIANGLES = ["", "\u25bc\u25bc\u25bc", "\u25bc\u25bc", "\u25bc", "", "\u25b2", "\u25b2\u25b2", "\u25b2\u25b2\u25b2"];

  function compare(form) {
    var table = document.querySelector("[data-table]");
    var bands = ["no band"].concat(JSON.parse(table.dataset.bands));
    var names = {}, codes = [];
    Array.prototype.forEach.call(document.querySelectorAll("#organisations option"), function (option) {
      var found = /^(.*) \(([^()]*)\)$/.exec(option.value);
      names[found[2]] = found[1];
      codes.push(found[2]);
    });
    var rows = Array.prototype.slice.call(table.tBodies[0].rows);
    var head = table.tHead.rows[0];
    var boxes = Array.prototype.slice.call(form.querySelectorAll("input"));
    var turn = 0;

    // Places are kept: the second box stays the second, even while the first is empty.
    function wanted() {
      return (read().get("own") || "").split(",").map(function (code) { return code.trim(); });
    }

    function known(code) {
      return codes.find(function (c) { return c.toUpperCase() === code.toUpperCase(); });
    }

    // What is typed into a box: a name with its code, a code, or a name alone.
    function codeOf(words) {
      var found = /\(([^()]*)\)\s*$/.exec(words);
      if (found && known(found[1])) return known(found[1]);
      return known(words.trim()) || codes.find(function (c) { return plain(names[c]) === plain(words); }) || "";
    }

    function draw() {
      var chosen = [], unknown = [], twice = [], more = 0;
      wanted().forEach(function (code) {
        if (!code) return;
        var found = known(code);
        if (!found) unknown.push(code.toUpperCase());
        else if (chosen.indexOf(found) >= 0) twice.push(found);
        else if (chosen.length < boxes.length) chosen.push(found);
        else more += 1;
      });
      var said = (chosen.length ? "Comparing " + chosen.length + "." : "Choose at least one.") +
        (twice.length ? " Chosen twice: " + twice.join(", ") + "." : "") +
        (unknown.length ? " Not known: " + unknown.join(", ") + "." : "") +
        (more ? " Only the first five are shown." : "");
      var own = turn += 1;
      Promise.all(chosen.map(scoresOf)).then(function (found) {
        // Somebody may have chosen anew while these were on their way.
        if (own !== turn) return;
        while (head.cells.length > 2) head.deleteCell(-1);
        chosen.forEach(function (code, i) {
          table.style.setProperty("--c" + (i + 3), JSON.stringify(names[code] + ": "));
          var cell = document.createElement("th");
          cell.scope = "col";
          cell.className = "figure";
          cell.textContent = names[code] + " (" + code + ")";
          head.appendChild(cell);
        });
        rows.forEach(function (row) {
          while (row.cells.length > 2) row.deleteCell(-1);
          found.forEach(function (scores) {
            var cell = row.insertCell(), one = scores[row.dataset.code];
            cell.className = "figure";
            if (!one) { cell.textContent = "-"; return; }
            var marks = document.createElement("span"), words = document.createElement("span");
            marks.setAttribute("aria-hidden", "true");
            marks.textContent = one[1] ? TRIANGLES[one[1]] : "(no band)";
            words.className = "nhsuk-u-visually-hidden";
            words.textContent = " " + bands[one[1] || 0].toLowerCase();
            cell.append(one[0].toFixed(1) + " ", marks, words);
          });
        });
        form.querySelector("[data-count]").textContent = said;
      }).catch(function () {
        form.querySelector("[data-count]").textContent = "The scores could not be loaded. Try again, or take them from the page of data.";
      });
    }

    // The boxes are set from the address when the page opens, never while somebody is choosing in them.
    function fill() {
      var found = wanted().map(function (code) { return code && known(code) || ""; });
      boxes.forEach(function (box, k) { box.value = found[k] ? names[found[k]] + " (" + found[k] + ")" : ""; });
      draw();
    }

    form.hidden = false;
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    form.addEventListener("change", function () {
      var state = read();
      state.set("own", boxes.map(function (box) { return codeOf(box.value) || box.value.trim(); }).join(",").replace(/,+$/, ""));
      write(state);
      draw();
    });
    onState(fill);
    fill();
  }

  // The drawing of a measure: names on focus and touch, the whole scale, and a picture of it.
  function dots(figure) {
    var said = figure.querySelector("[data-named]");
    var drawings = Array.prototype.slice.call(figure.querySelectorAll("[data-drawing]"));
    var button = figure.querySelector("[data-switch]"), picture = figure.querySelector("[data-png]");
    // Names stand once, in the wide drawing.
    var names = {};
    Array.prototype.forEach.call(figure.querySelectorAll("[data-code] title"), function (title) {
      names[title.parentNode.dataset.code] = title.textContent;
    });
    drawings.forEach(stopsAt);

    function stopsAt(drawing) {
      var links = Array.prototype.slice.call(drawing.querySelectorAll("a"));
      // One stop for the keyboard; arrows lead from mark to mark.
      links.forEach(function (link, i) {
        link.setAttribute("tabindex", i ? "-1" : "0");
        link.setAttribute("aria-label", names[link.dataset.code]);
        function name() { said.textContent = names[link.dataset.code]; }
        link.addEventListener("focus", name);
        link.addEventListener("pointerenter", name);
        link.addEventListener("keydown", function (event) {
          var step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
          var next = event.key === "Home" ? links[0] : event.key === "End" ? links[links.length - 1] : step && links[i + step];
          if (!next) return;
          event.preventDefault();
          links.forEach(function (other) { other.setAttribute("tabindex", other === next ? "0" : "-1"); });
          next.focus();
        });
      });
    }

    // A finger is wider than a mark: the first touch names the nearest one, the second follows its link.
    drawings.forEach(function (drawing) {
      drawing.addEventListener("click", function (event) {
        var links = Array.prototype.slice.call(drawing.querySelectorAll("a"));
        if (event.pointerType !== "touch" || !links.length) return;
        var nearest = links.reduce(function (best, link) {
          var box = link.getBoundingClientRect();
          var far = Math.abs(box.left + box.width / 2 - event.clientX);
          return !best || far < best.far ? { link: link, far: far } : best;
        }, null).link;
        if (said.textContent === names[nearest.dataset.code] && nearest.contains(event.target)) return;
        event.preventDefault();
        said.textContent = names[nearest.dataset.code];
      });
    });

    // The scale that fits, or the whole: every mark moves up or down, and the lines of the scale are drawn anew.
    function rescale(drawing, whole) {
      var svg = drawing.querySelector("svg"), ticks = svg.querySelector(".ticks");
      var ends = ticks.dataset.scaleEnds.split(" ").map(Number);
      var low = ends[0], high = ends[1], top = ends[2], plot = ends[3];
      if (!drawing.fitted) drawing.fitted = svg.innerHTML;
      if (!whole) {
        if (drawing.whole) { drawing.whole = false; svg.innerHTML = drawing.fitted; stopsAt(drawing); }
        return;
      }
      if (drawing.whole) return;
      drawing.whole = true;
      function moved(y) { return top + (10 - (high - (y - top) / plot * (high - low))) / 10 * plot; }
      Array.prototype.forEach.call(svg.querySelectorAll("[data-code]"), function (mark) {
        Array.prototype.forEach.call(mark.children, function (part) {
          var d = part.getAttribute("d"), interval = d && /^M(\S+) (\S+)V(\S+)$/.exec(d), tip = d && /^M\S+ (\S+)h\S+L\S+ (\S+)z$/.exec(d);
          if (part.tagName === "circle") part.setAttribute("cy", moved(Number(part.getAttribute("cy"))));
          else if (interval) part.setAttribute("d", "M" + interval[1] + " " + moved(Number(interval[2])) + "V" + moved(Number(interval[3])));
          else if (tip) {
            // The score lies where the foot and the tip leave seven parts of seventeen to the foot.
            var at = Number(tip[1]) + (Number(tip[2]) - Number(tip[1])) * 0.7 / 1.7;
            part.setAttribute("transform", "translate(0 " + (moved(at) - at) + ")");
          }
        });
      });
      var line = svg.querySelector(".average line"), texts = svg.querySelectorAll("text");
      if (line) ["y1", "y2"].forEach(function (name) { line.setAttribute(name, moved(Number(line.getAttribute(name)))); });
      Array.prototype.forEach.call(texts, function (words) { words.textContent = words.textContent.replace(/\. Scale .* of 0 to 10$/, ""); });
      var old = ticks.querySelector("line"), label = ticks.querySelector("text");
      var parts = [];
      for (var v = 0; v <= 10; v += 2) {
        var rule = old.cloneNode(), mark = label.cloneNode();
        var y = top + (10 - v) / 10 * plot;
        rule.setAttribute("y1", y);
        rule.setAttribute("y2", y);
        mark.setAttribute("y", y + 3);
        mark.textContent = v;
        parts.push(rule, mark);
      }
      ticks.replaceChildren.apply(ticks, parts);
    }

    function scale() {
      var whole = read().get("scale") === "whole";
      button.setAttribute("aria-pressed", String(whole));
      drawings.forEach(function (drawing) { rescale(drawing, whole); });
    }
    button.hidden = picture.hidden = false;
    button.addEventListener("click", function () {
      var state = read();
      state.set("scale", state.get("scale") === "whole" ? "" : "whole");
      write(state);
      scale();
    });
    // The drawing that is shown, with its title above and its source below, for who meets it elsewhere.
    function framed() {
      var shown = drawings.find(function (drawing) { return drawing.checkVisibility ? drawing.checkVisibility() : !drawing.hidden; });
      var inner = shown.querySelector("svg").cloneNode(true), name = "http://www.w3.org/2000/svg";
      var wide = inner.viewBox.baseVal.width, high = inner.viewBox.baseVal.height;
      // Who is marked on the page is marked in the picture.
      Array.prototype.forEach.call(inner.querySelectorAll(".chosen circle, .chosen path:last-child"), function (part) { part.setAttribute("fill", "#000"); });
      Array.prototype.forEach.call(inner.querySelectorAll(".dim"), function (part) { part.setAttribute("opacity", "0.2"); });
      var told = document.querySelector("[data-marked]"), notice = document.querySelector(".notice");
      function lines(text, most) {
        return text.split(/\s+/).reduce(function (all, word) {
          var last = all[all.length - 1];
          if (last && (last + " " + word).length <= most) all[all.length - 1] = last + " " + word;
          else all.push(word);
          return all;
        }, []);
      }
      var above = lines(document.querySelector("h1").textContent.trim().replace(/\s+/g, " "), wide / 6.6).map(function (t) { return [t, 12, "bold"]; });
      if (told && !told.hidden) above = above.concat(lines(told.textContent, wide / 5.2).map(function (t) { return [t, 9, "normal"]; }));
      var below = lines("Triangles: outside the expected range, up for better, the larger the further. Circles: about the same, or no band.", wide / 5)
        .concat(notice ? lines(notice.textContent, wide / 5) : [], lines(figure.querySelector("[data-cite]").textContent, wide / 5))
        .map(function (t) { return [t, 8.5, "normal"]; });
      var svg = document.createElementNS(name, "svg"), y = 0;
      function write(row) {
        var text = document.createElementNS(name, "text");
        y += row[1] * 1.35;
        text.setAttribute("x", 6);
        text.setAttribute("y", y);
        text.setAttribute("font-size", row[1]);
        text.setAttribute("font-weight", row[2]);
        text.setAttribute("font-family", "Arial, Helvetica, sans-serif");
        text.textContent = row[0];
        svg.appendChild(text);
      }
      above.forEach(write);
      inner.setAttribute("y", y + 6);
      y += high + 8;
      svg.appendChild(inner);
      below.forEach(write);
      svg.setAttribute("xmlns", name);
      svg.setAttribute("width", wide);
      svg.setAttribute("height", y + 8);
      svg.setAttribute("viewBox", "0 0 " + wide + " " + (y + 8));
      inner.setAttribute("width", wide);
      inner.setAttribute("height", high);
      return svg;
    }

    function address(svg) { return "data:image/svg+xml;charset=utf-8," + encodeURIComponent(new XMLSerializer().serializeToString(svg)); }

    function save(href, ending) {
      var link = document.createElement("a");
      link.href = href;
      link.download = figure.dataset.chart + ending;
      link.click();
    }

    picture.addEventListener("click", function () {
      var svg = framed(), image = new Image();
      image.onload = function () {
        var canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
        canvas.width = 2 * svg.getAttribute("width");
        canvas.height = Math.ceil(2 * svg.getAttribute("height"));
        pen.fillStyle = "#fff";
        pen.fillRect(0, 0, canvas.width, canvas.height);
        pen.drawImage(image, 0, 0, canvas.width, canvas.height);
        save(canvas.toDataURL("image/png"), ".png");
      };
      image.src = address(svg);
    });
    figure.querySelector("[data-svg]").addEventListener("click", function (event) {
      event.preventDefault();
      save(address(framed()), ".svg");
    });
    onState(scale);
    scale();
  }

  // How many letters two words differ by, up to two: left out, put in, exchanged or in the wrong order.
  function apart(a, b) {
    if (Math.abs(a.length - b.length) > 2) return 3;
    var before = [], row = [], i, j;
    for (j = 0; j <= b.length; j += 1) row[j] = j;
    for (i = 1; i <= a.length; i += 1) {
      var last = row, next = [i];
      for (j = 1; j <= b.length; j += 1) {
        next[j] = Math.min(last[j] + 1, next[j - 1] + 1, last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
        if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) next[j] = Math.min(next[j], before[j - 2] + 1);
      }
      before = last;
      row = next;
    }
    return row[b.length];
  }

  // One search over organisations, questions and places; the words are loaded when somebody begins to type.
  function search(form) {
    var root = form.dataset.search, input = form.elements.search;
    var said = form.querySelector("[data-found]"), out = form.querySelector(".found");
    var entries = null, KINDS = { trust: "", question: "Question", place: "Place" };

    // What nearly every name has tells nothing.
    var COMMON = { nhs: 1, trust: 1, foundation: 1, the: 1, of: 1, and: 1 };
    function words(text) {
      var all = plain(text).replace(/'/g, "").split(/[^\p{L}\p{N}_]+/u).filter(Boolean);
      var telling = all.filter(function (word) { return !COMMON[word]; });
      return telling.length ? telling : all;
    }

    function load(then) {
      if (entries) { then(); return; }
      var script = document.createElement("script");
      script.src = root + "static/search.js";
      script.onload = function () {
        entries = window.stocktakeSearch.map(function (one) { return { kind: one[0], text: one[1], page: one[2], words: words(one[1] + " " + (one[3] || "")) }; });
        then();
      };
      document.head.appendChild(script);
    }

    // How far a word is from the nearest of an entry's: the same, its beginning, a part of it, or one with a slip or two.
    function cost(word, entry) {
      return entry.words.reduce(function (best, other) {
        var now = other === word ? 0 : other.indexOf(word) === 0 ? 1 : word.length > 2 && other.indexOf(word) > 0 ? 2 : 9;
        if (now === 9 && best > 4 && word.length > 3) {
          var slips = Math.min(apart(word, other), other.length > word.length ? apart(word, other.slice(0, word.length)) : 3);
          if (slips <= (word.length > 5 ? 2 : 1)) now = 3 + slips;
        }
        return Math.min(best, now);
      }, 9);
    }

    function draw() {
      var wanted = words(input.value), state = read();
      state.set("search", input.value);
      write(state);
      if (!wanted.length) { out.replaceChildren(); said.textContent = ""; return; }
      load(function () {
        var found = [];
        entries.forEach(function (entry) {
          var sum = 0;
          var missed = 0;
          wanted.forEach(function (word) {
            var one = cost(word, entry);
            if (one >= 9) missed += 1;
            sum += one;
          });
          // Of several words one may be another's; what has none of them is not found.
          if (missed < wanted.length) found.push({ entry: entry, cost: sum });
        });
        found.sort(function (a, b) { return a.cost - b.cost; });
        out.replaceChildren.apply(out, found.slice(0, 12).map(function (one) {
          var item = document.createElement("li"), link = document.createElement("a");
          link.href = root + one.entry.page;
          link.textContent = (KINDS[one.entry.kind] ? KINDS[one.entry.kind] + ": " : "") + one.entry.text;
          item.appendChild(link);
          return item;
        }));
        said.textContent = found.length ? found.length + " found." + (found.length > 12 ? " The nearest twelve:" : "") : "Nothing found. Try fewer or other words.";
      });
    }
    form.hidden = false;
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      var first = out.querySelector("a");
      if (first) location.href = first.href;
    });
    input.addEventListener("input", draw);
    if (read().get("search")) { input.value = read().get("search"); draw(); }
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
      if (region.scrollWidth > region.clientWidth || region.scrollHeight > region.clientHeight) region.setAttribute("tabindex", "0");
      else region.removeAttribute("tabindex");
    });
  }
  window.addEventListener("resize", stops);
  window.addEventListener("load", stops);
  document.addEventListener("toggle", stops, true);

  // On a phone rows of many cells are blocks, in which each figure stands after its column's heading.
  Array.prototype.forEach.call(document.querySelectorAll("table.stack"), function (table) {
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (head, i) {
      table.style.setProperty("--c" + (i + 1), JSON.stringify(head.textContent.trim().replace(/\s+/g, " ") + " "));
    });
    table.classList.add("live");
  });
  Array.prototype.forEach.call(document.querySelectorAll("table[data-list]"), list);
  Array.prototype.forEach.call(document.querySelectorAll("[data-compare]"), compare);
  Array.prototype.forEach.call(document.querySelectorAll("[data-chart]"), dots);
  Array.prototype.forEach.call(document.querySelectorAll("[data-search]"), search);
  Array.prototype.forEach.call(document.querySelectorAll("[data-series]"), series);
  Array.prototype.forEach.call(document.querySelectorAll("[data-find]"), find);
})();
