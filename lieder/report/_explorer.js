// Fills the places of an Explorer from its data. Names of columns are text wherever they go, never markup.
"use strict";
(() => {
  const at = (id) => document.getElementById(id);
  const data = JSON.parse(at("explored").textContent);
  const { names, outputs, units, colours, directions, flows } = data;
  const inputs = names.length - outputs;
  const quiet = { displayModeBar: false, responsive: true };

  // Plotly reads a few tags in its texts: none of a name's.
  const plain = (text, most = 40) =>
    (text.length > most ? text.slice(0, most - 1) + "…" : text)
      .replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const short = (value) => Number(value).toPrecision(2).replace("e+", "e");
  const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function decoded(columns) {
    return columns.map(({ low, high, data: text }) => {
      const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      const whole = new DataView(bytes.buffer);
      const out = new Array(bytes.length / 2);
      for (let i = 0; i < out.length; i++) {
        const level = whole.getInt16(2 * i, true);
        out[i] = level === -32768 ? null : low + ((level + 32767) / 65534) * (high - low);
      }
      return out;
    });
  }

  const unpacked = new Map(); // flows are decoded when they are first looked at
  function flowOf(number) {
    if (!unpacked.has(number)) {
      const flow = flows[number];
      unpacked.set(number, { moved: decoded(flow.moved), predicted: flow.predicted && decoded(flow.predicted) });
    }
    return unpacked.get(number);
  }
  const frame = (column, points, time) => column.slice(time * points, (time + 1) * points);

  const state = { which: 0, time: 0, across: 0, up: 1, output: 0, playing: false };

  function layout(x, y, more = {}) {
    const axis = ({ title, ...extra }) => ({
      title: { text: title, font: { size: 13 }, standoff: 8 }, gridcolor: ink("--line"), zerolinecolor: ink("--line"),
      linecolor: ink("--soft"), automargin: true, exponentformat: "power", ...extra,
    });
    return {
      font: { family: "system-ui, sans-serif", size: 12, color: ink("--ink") },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", margin: { l: 56, r: 16, t: 34, b: 48 },
      hoverlabel: { bgcolor: ink("--paper"), font: { color: ink("--ink") } },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, dragmode: false,
      xaxis: axis(x), yaxis: axis(y), ...more,
    };
  }

  function spectrum() {
    const { defects, lower, upper, readings, bounds, lines } = directions;
    const shown = defects.map((value) => Math.max(value, 1e-16));
    const symbols = { symmetric: "circle", undecided: "diamond", broken: "square" };
    const traces = Object.keys(colours).filter((name) => readings.includes(name)).map((name) => {
      const kept = shown.map((_, k) => k).filter((k) => readings[k] === name);
      const bars = lower && {
        type: "data", symmetric: false, thickness: 1.4, width: 4, color: colours[name],
        array: kept.map((k) => (upper[k] === null ? 0 : Math.max(0, upper[k] - shown[k]))),
        arrayminus: kept.map((k) => (lower[k] === null ? 0 : Math.max(0, shown[k] - Math.max(lower[k], 1e-16)))),
      };
      return {
        x: kept.map((k) => k + 1), y: kept.map((k) => shown[k]), mode: "markers", name, error_y: bars || undefined,
        marker: { color: colours[name], size: 9, symbol: symbols[name] },
        hovertemplate: "direction %{x}: %{y:.3g}<extra>" + name + "</extra>",
      };
    });
    const shapes = lines.map(([, value]) => ({
      type: "line", xref: "paper", x0: 0, x1: 1, y0: value, y1: value, line: { color: ink("--soft"), width: 1, dash: "dot" },
    }));
    const annotations = lines.map(([label, value]) => ({
      xref: "paper", x: 0, xanchor: "left", y: Math.log10(value), yanchor: "bottom", showarrow: false,
      text: plain(label, 60), font: { size: 11, color: ink("--soft") },
    }));
    const all = [...shown, ...lines.map(([, value]) => value)].map(Math.log10);
    const decades = Math.max(...all) - Math.min(...all);
    const whole = defects.length <= 12 ? { dtick: 1 } : { tickformat: "d" };
    Plotly.react(at("spectrum"), traces, layout(
      { title: "direction", ...whole },
      { title: "relative defect", type: "log", dtick: Math.max(1, Math.ceil(decades / 6)) },
      { shapes, annotations, showlegend: true, height: 300 },
    ), quiet);
    at("bounds").textContent = bounds ? "Bars: " + bounds + "." : "";
  }

  // The range where the examples start, and a little more, so that the axes stand still while points move.
  function range(column, points, middle) {
    const start = frame(column, points, middle).filter((value) => value !== null);
    const low = Math.min(...start), high = Math.max(...start), wide = high - low || Math.abs(high) || 1;
    return [low - 0.35 * wide, high + 0.35 * wide];
  }

  function shownAtTime() {
    const flow = flows[state.which], { moved, predicted } = flowOf(state.which), points = flow.points;
    const now = (column) => frame(column, points, state.time);
    Plotly.restyle(at("flow"), { x: [now(moved[state.across])], y: [now(moved[state.up])] }, [1]);
    if (predicted) {
      const wanted = now(moved[inputs + state.output]), given = now(predicted[state.output]);
      Plotly.restyle(at("values"), { x: [wanted], y: [given] }, [1]);
    }
    const t = flow.times[state.time];
    const told = t === 0 ? "0" : Number(t.toPrecision(3)).toString();
    at("time").textContent = told;
    at("slider").value = String(state.time);
    at("slider").setAttribute("aria-valuetext", "t = " + told);
    const missed = predicted ? flow.missed[state.time] : null;
    at("missed").textContent = !predicted
      ? "Only the examples are shown: a model's values are not at hand."
      : missed === null ? "At this t too few examples stay within what can be followed."
      : "At t = " + told + " the model misses the carried outputs by " +
        (missed < 1e-5 ? "less than 0.001 % of" : missed < 1 ? short(100 * missed) + " % of" : short(missed) + " times") +
        " their spread.";
  }

  function drawn() {
    const flow = flows[state.which], { moved, predicted } = flowOf(state.which), points = flow.points;
    const middle = (flow.times.length - 1) / 2, start = (column) => frame(column, points, middle);
    const colour = colours[flow.reading], [a, b] = [state.across, state.up];
    const ghost = { color: ink("--soft"), size: 4, opacity: 0.45 }, lively = { color: colour, size: 5, opacity: 0.85 };
    const shared = { mode: "markers", hovertemplate: "%{x:.4g}, %{y:.4g}<extra></extra>" };
    const equal = units[a] === units[b] && a !== b ? { scaleanchor: "x", constrain: "domain" } : {};
    Plotly.react(at("flow"), [
      { ...shared, name: "examples", x: start(moved[a]), y: start(moved[b]), marker: ghost },
      { ...shared, name: "carried", x: start(moved[a]), y: start(moved[b]), marker: lively },
    ], layout({ title: plain(names[a]), range: range(moved[a], points, middle), constrain: "domain" },
      { title: plain(names[b]), range: range(moved[b], points, middle), ...equal }, { height: 380 }), quiet);
    at("values").hidden = !predicted;
    if (predicted) {
      const column = moved[inputs + state.output], limits = range(column, points, middle);
      const name = plain(names[inputs + state.output], 30);
      Plotly.react(at("values"), [
        { x: limits, y: limits, mode: "lines", name: "equal", line: { color: ink("--soft"), width: 1 }, hoverinfo: "skip" },
        { ...shared, name: "model at carried inputs", x: start(column), y: start(predicted[state.output]), marker: lively },
      ], layout({ title: name + ", carried", range: limits }, { title: name + ", of the model", range: limits },
        { height: 380 }), quiet);
    }
    at("formula").textContent = flow.text + "   (relative defect " + short(flow.defect) + ", " + flow.reading + ")";
    speeds(flow.speeds);
    shownAtTime();
  }

  function speeds(values) {
    const order = values.map((value, k) => [value || 0, k]).sort((x, y) => y[0] - x[0]).slice(0, 12);
    const most = Math.max(...order.map(([value]) => value), 1e-300);
    at("speeds").replaceChildren(...order.map(([value, k]) => {
      const row = document.createElement("div"), name = document.createElement("span");
      const bar = document.createElement("span"), number = document.createElement("span");
      [row.className, name.className, bar.className, number.className] = ["speed", "name", "bar", "amount"];
      name.textContent = names[k];
      bar.style.setProperty("--share", String(value / most));
      number.textContent = value > 1e-9 * most ? short(value) : "0";
      row.append(name, bar, number);
      return row;
    }));
  }

  function options(select, texts, chosen) {
    select.replaceChildren(...texts.map((text, k) => new Option(text, String(k), false, k === chosen)));
  }

  // The two columns that a generator moves most, of one unit if it can be.
  function views(flow) {
    const order = flow.speeds.map((value, k) => [value || 0, k]).sort((x, y) => y[0] - x[0]).map(([, k]) => k);
    const first = order[0], alike = order.slice(1).find((k) => units[k] === units[first] && flow.speeds[k] > 0);
    const second = alike ?? order[1] ?? first;
    return [Math.min(first, second), Math.max(first, second)];
  }

  function pick(number) {
    const flow = flows[number];
    state.which = number;
    [state.across, state.up] = views(flow);
    state.time = (flow.times.length - 1) / 2;
    at("slider").min = "0";
    at("slider").max = String(flow.times.length - 1);
    options(at("across"), names, state.across);
    options(at("up"), names, state.up);
    drawn();
  }

  function play() {
    state.playing = !state.playing;
    at("play").textContent = state.playing ? "Pause" : "Play";
    let last = 0, step = 1;
    const tick = (now) => {
      if (!state.playing) return;
      if (now - last > 70) {
        last = now;
        const end = flows[state.which].times.length - 1;
        if (state.time + step > end || state.time + step < 0) step = -step;
        state.time += end ? step : 0;
        shownAtTime();
      }
      requestAnimationFrame(tick);
    };
    if (state.playing) requestAnimationFrame(tick);
  }

  function copies() {
    for (const button of document.querySelectorAll("button.copy")) {
      button.hidden = false;
      button.addEventListener("click", async () => {
        const code = button.parentElement.querySelector("pre");
        try {
          await navigator.clipboard.writeText(code.textContent);
        } catch { // a page from disk may not be let: what is marked can be copied in all browsers
          getSelection().selectAllChildren(code);
          document.execCommand("copy");
        }
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = "Copy"; }, 1500);
      });
    }
  }

  options(at("which"), flows.map((flow) => flow.label), 0);
  options(at("output"), names.slice(inputs), 0);
  at("output-label").hidden = outputs < 2 || !flows[0].predicted;
  const on = (id, event, then) => at(id).addEventListener(event, then);
  on("which", "change", () => pick(Number(at("which").value)));
  on("slider", "input", () => { state.time = Number(at("slider").value); shownAtTime(); });
  on("play", "click", play);
  for (const id of ["across", "up", "output"]) {
    on(id, "change", () => { state[id] = Number(at(id).value); drawn(); });
  }
  const all = () => { spectrum(); drawn(); };
  for (const medium of ["(prefers-color-scheme: dark)", "print"]) matchMedia(medium).addEventListener("change", all);
  spectrum();
  pick(0);
  copies();
  document.documentElement.dataset.ready = "yes";
})();
