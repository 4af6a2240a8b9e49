"use strict";
// Scenario in, plan out: figures first, then the report. A change stops what is on its way.
(() => {
  const nonce = document.currentScript.nonce;
  const at = (id) => document.getElementById(id);
  const [scenario, load, capacity] = [at("scenario"), at("load"), at("capacity")];
  const PAUSE_MS = 150;
  let first = null; // the first plan of this scenario
  let running = new AbortController();
  let timer = 0;

  const number = (value, digits = 2) =>
    new Intl.NumberFormat("en", { maximumFractionDigits: digits }).format(value);
  const signed = (value) => (value > 0 ? "+" : "") + number(value);
  const element = (name, text, kind) => {
    const node = document.createElement(name);
    if (text !== undefined) node.textContent = text;
    if (kind) node.className = kind;
    return node;
  };
  const row = (cells) => {
    const tr = element("tr");
    cells.forEach(([text, kind], i) => {
      const cell = element(i ? "td" : "th", text, kind);
      if (!i) cell.scope = "row";
      tr.append(cell);
    });
    return tr;
  };

  const send = async (path, signal) => {
    const headers = {};
    if (at("token").value) headers.Authorization = `Bearer ${at("token").value}`;
    const query = new URLSearchParams({ load: load.value, capacity: capacity.value });
    const options = { method: "POST", headers, body: scenario.value, signal };
    const answer = await fetch(`${path}?${query}`, options);
    if (answer.ok) return answer;
    const body = await answer.json().catch(() => ({ message: `${answer.status} ${answer.statusText}` }));
    throw Object.assign(new Error(body.message), { problems: body.problems || [] });
  };

  // Problems name lines of the scenario: a button leads there.
  const show = (error) => {
    const list = element("ul");
    for (const problem of error.problems || []) {
      const item = element("li");
      const place = /:(\d+):(\d+)$/.exec(problem.place);
      if (place) {
        const go = element("button", `Line ${place[1]}`);
        go.type = "button";
        go.addEventListener("click", () => select(Number(place[1])));
        item.append(go, " ");
      }
      const entity = problem.entity ? `${problem.entity}: ` : "";
      item.append(`${entity}${problem.what}; ${problem.remedy}`);
      list.append(item);
    }
    at("problems").replaceChildren(element("p", error.message));
    if (list.children.length) at("problems").append(list);
  };
  const select = (line) => {
    const lines = scenario.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    scenario.focus();
    scenario.setSelectionRange(start, start + (lines[line - 1] || "").length);
    const height = scenario.scrollHeight / lines.length;
    scenario.scrollTop = Math.max(0, (line - 4) * height);
  };

  const parts = (server) => (server ? server.parts : []);
  const words = (server) =>
    parts(server).map((p) => `${p.numReplicas} x ${p.accelerator} (${p.maxBatch})`).join(" + ") || "-";
  const on = (server) => parts(server).map((p) => p.accelerator).sort().join();
  const compare = (before, now) => {
    const names = [...new Set([...Object.keys(before.allocations), ...Object.keys(now.allocations)])];
    const rows = names.map((name) => {
      const [a, b] = [before.allocations[name], now.allocations[name]];
      const change = (b ? b.cost : 0) - (a ? a.cost : 0);
      return { name, moved: a && b && on(a) !== on(b), before: words(a), now: words(b), change };
    });
    return rows.filter((r) => r.before !== r.now).sort((a, b) => Math.abs(b.change) - Math.abs(a.change));
  };

  const draw = (plan) => {
    const short = plan.status === "infeasible" || plan.status === "unknown";
    const changes = compare(first, plan);
    const moved = changes.filter((c) => c.moved).length;
    const cards = plan.usage.reduce((sum, usage) => sum + usage.cards, 0);
    const strong = element("strong", plan.status);
    const rest = short
      ? plan.partial ? ": not every server can be served; this is the best part" : ": no plan"
      : ` at ${number(plan.totalCost)} cents an hour, gap ${plan.gap === null ? "not proven" : number(plan.gap * 100, 4) + "%"}`;
    at("summary").className = short ? "short" : "";
    at("summary").replaceChildren(strong, rest);
    const partial = plan.partial ? plan.partial.notServedInFull : [];
    const reasons = (plan.reasons || []).concat(
      partial.map((p) => `${p.server}: ${number(p.servedShare * 100, 1)}% of its load is served`),
    );
    at("reasons").replaceChildren(...reasons.map((reason) => element("li", reason)));
    const figures = [
      ["Cost, cents/h", number(plan.totalCost)],
      ["Against the first plan", signed(plan.totalCost - first.totalCost)],
      ["Cards in use", number(cards)],
      ["Servers that move", number(moved)],
      ["Servers that change otherwise", number(changes.length - moved)],
    ];
    at("figures").replaceChildren(
      ...figures.map(([name, value]) => {
        const pair = element("div");
        pair.append(element("dt", name), element("dd", value));
        return pair;
      }),
    );
    const of = (available) => (available === null ? "no limit" : number(available));
    at("cards").tBodies[0].replaceChildren(
      ...plan.usage.map((u) => row([[u.type], [number(u.cards), "number"], [of(u.available), "number"]])),
    );
    at("changes").hidden = changes.length === 0;
    at("changes").tBodies[0].replaceChildren(
      ...changes.slice(0, 200).map((c) => row([[c.name], [c.before], [c.now], [signed(c.change), "number"]])),
    );
    at("result").hidden = false;
  };

  const fit = () => {
    const page = at("report").contentDocument.documentElement;
    at("report").style.height = 0;
    at("report").style.height = `${page.scrollHeight + 4}px`;
  };
  at("report").addEventListener("load", fit);

  const run = async () => {
    running.abort();
    running = new AbortController();
    const { signal } = running;
    at("result").setAttribute("aria-busy", "true");
    at("problems").replaceChildren();
    try {
      const plan = await (await send("optimizeOne", signal)).json();
      first = first || plan;
      draw(plan);
      at("result").setAttribute("aria-busy", "false");
      const report = await (await send("report", signal)).text();
      // The page's own word lets the report's style and script run, and nothing beside them.
      at("report").srcdoc = report.replaceAll(/<(style|script)>/g, `<$1 nonce="${nonce}">`);
      at("detail").hidden = false;
    } catch (error) {
      if (error.name === "AbortError") return;
      at("result").hidden = at("detail").hidden = true;
      show(error);
    }
    at("result").setAttribute("aria-busy", "false");
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(run, PAUSE_MS);
  };
  const labels = () => {
    for (const slider of [load, capacity]) {
      at(`${slider.id}-value`).value = number(slider.value);
      slider.setAttribute("aria-valuetext", `${number(slider.value)} times as stated`);
    }
  };
  // What stands in the field, by name: the example, or a file of the reader's own, as it was or changed.
  const EXAMPLE = "the example";
  let source = EXAMPLE;
  const tell = (changed) => {
    const own = source !== EXAMPLE;
    const what = own ? `Your file ${source}` : "The example";
    const rest = own
      ? changed ? "changed here: the file itself is not." : "as it was when you opened it."
      : changed ? "changed." : "to be planned as it stands, or changed; or open a file of your own.";
    at("source").textContent = `${what}, ${rest}`;
    document.title = own ? `${source}: isocost` : "isocost: plan a fleet";
    at("detail-title").textContent = own ? `The report of ${source}` : "The report";
  };
  const replace = (text, name) => {
    source = name;
    scenario.value = text;
    tell(false);
    anew();
  };
  // Another scenario: what was planned first is no measure any more.
  const anew = () => {
    first = null;
    [load.value, capacity.value] = [1, 1];
    labels();
    run();
  };

  for (const slider of [load, capacity]) {
    slider.addEventListener("input", () => {
      labels();
      if (first) soon();
    });
  }
  scenario.addEventListener("input", () => {
    first = null;
    tell(true);
  });
  at("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    run();
  });
  at("reset").addEventListener("click", () => {
    [load.value, capacity.value] = [1, 1];
    labels();
    run();
  });
  at("example").addEventListener("click", () => {
    // Else the same file could not be opened again.
    at("file").value = "";
    replace(scenario.defaultValue, EXAMPLE);
  });
  at("file").addEventListener("change", async () => {
    const [file] = at("file").files;
    if (file) replace(await file.text(), file.name);
  });
  labels();
  tell(false);
})();
