// Trades on the price: wheel or pinch zooms, dragging moves, arrows step from trade to trade.
"use strict";
(() => {
  const box = document.getElementById("viewer");
  const data = JSON.parse(document.getElementById("viewer-data").textContent);
  const canvas = box.querySelector("canvas"), said = box.querySelector("output");
  const pick = box.querySelector("select"), pen = canvas.getContext("2d");
  const sums = (steps, first) => { let now = first; return steps.map((d) => (now += d)); };
  const sleeves = data.sleeves.map((one) => ({
    ...one, t: sums(one.t, 0), p: sums(one.p, 0).map((p) => p * one.tick),
  }));
  sleeves.forEach((one) => pick.add(new Option(one.name)));
  pick.hidden = sleeves.length < 2;
  let sleeve, from, to, chosen, shown = [];
  const LEFT = 58, BOTTOM = 22, TOP = 8, RIGHT = 6;
  const tone = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);
  const two = (n) => String(n).padStart(2, "0");
  const date = (t, fine) => {
    const d = new Date(sleeve.start + t);
    const day = `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`;
    const hour = `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
    return fine === 0 ? day : fine === 1 ? `${day.slice(5)} ${hour}`
      : `${hour}:${two(d.getUTCSeconds())}`;
  };
  const below = (values, x) => {
    let a = 0, b = values.length;
    while (a < b) { const m = (a + b) >> 1; if (values[m] < x) a = m + 1; else b = m; }
    return a;
  };
  function all() { chosen = -1; look(0, sleeve.t[sleeve.t.length - 1] || 1); }
  function look(a, b) {
    const end = sleeve.t[sleeve.t.length - 1] || 1, least = Math.max(end / 1e6, 10);
    const width = Math.min(Math.max(b - a, least), end);
    from = Math.min(Math.max(0, (a + b - width) / 2), end - width);
    to = from + width;
    draw();
  }
  function zoom(factor, at) { const m = at ?? (from + to) / 2; look(m - (m - from) * factor, m + (to - m) * factor); }
  function draw() {
    const ratio = devicePixelRatio || 1, w = canvas.clientWidth, h = canvas.clientHeight;
    canvas.width = w * ratio; canvas.height = h * ratio;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.font = "12px system-ui,sans-serif";
    const { t, p, trips } = sleeve;
    const a = Math.max(0, below(t, from) - 1), b = Math.min(t.length, below(t, to) + 1);
    let low = Infinity, high = -Infinity;
    for (let i = a; i < b; i++) { low = Math.min(low, p[i]); high = Math.max(high, p[i]); }
    const inside = [];
    for (let k = 0; k < trips.o.length; k++) {
      if (trips.c[k] < from || trips.o[k] > to) continue;
      inside.push(k);
      if (trips.o[k] >= from) { low = Math.min(low, trips.e[k]); high = Math.max(high, trips.e[k]); }
      if (trips.c[k] <= to) { low = Math.min(low, trips.x[k]); high = Math.max(high, trips.x[k]); }
    }
    const room = 0.06 * (high - low) || Math.abs(high) * 1e-6 || 1;
    low -= room; high += room;
    const X = (s) => LEFT + (s - from) / (to - from) * (w - LEFT - RIGHT);
    const Y = (v) => TOP + (high - v) / (high - low) * (h - TOP - BOTTOM);
    axes(w, h, low, high, X, Y);
    pen.save(); pen.beginPath(); pen.rect(LEFT, TOP, w - LEFT - RIGHT, h - TOP - BOTTOM); pen.clip();
    line(a, b, X, Y);
    marks(inside, X, Y);
    pen.restore();
    tell(inside.length);
  }
  function axes(w, h, low, high, X, Y) {
    pen.fillStyle = tone("--soft"); pen.strokeStyle = tone("--faint"); pen.lineWidth = 1;
    const raw = (high - low) / 5, unit = 10 ** Math.floor(Math.log10(raw));
    const step = unit * [1, 2, 5, 10].find((f) => f * unit >= raw);
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    pen.textAlign = "right"; pen.textBaseline = "middle";
    for (let v = Math.ceil(low / step) * step; v < high; v += step) {
      pen.beginPath(); pen.moveTo(LEFT, Y(v)); pen.lineTo(w - RIGHT, Y(v)); pen.stroke();
      pen.fillText(v.toFixed(digits), LEFT - 6, Y(v));
    }
    const count = Math.max(2, Math.floor((w - LEFT) / 120)), span = (to - from) / count;
    const fine = span > 36e5 * 20 ? 0 : span > 6e4 ? 1 : 2;
    pen.textAlign = "center"; pen.textBaseline = "top";
    for (let k = 0; k < count; k++) {
      const s = from + (k + 0.5) * span;
      pen.fillText(date(s, fine), X(s), h - BOTTOM + 6);
    }
  }
  function line(a, b, X, Y) {
    // Of each pixel the lowest and the highest price: no peak is lost, and a click is fast.
    const { t, p } = sleeve;
    pen.strokeStyle = tone("--soft"); pen.lineWidth = 1; pen.beginPath();
    let column = null, low = 0, high = 0, last = 0;
    const close = () => { pen.lineTo(column, Y(low)); pen.lineTo(column, Y(high)); pen.lineTo(column, Y(last)); };
    for (let i = a; i < b; i++) {
      const x = b - a > 3000 ? Math.round(X(t[i])) : X(t[i]);
      if (x !== column) {
        if (column === null) pen.moveTo(x, Y(p[i])); else close();
        column = x; low = high = p[i];
      }
      low = Math.min(low, p[i]); high = Math.max(high, p[i]); last = p[i];
    }
    if (column !== null) close();
    pen.stroke();
  }
  function marks(inside, X, Y) {
    const { trips } = sleeve, size = inside.length > 300 ? 2.5 : inside.length > 60 ? 4 : 6;
    shown = inside.map((k) => [k, X(trips.o[k]), Y(trips.e[k]), X(trips.c[k]), Y(trips.x[k])]);
    for (const [k, x, y, u, v] of shown) {
      pen.strokeStyle = tone(trips.g[k] > 0 ? "--good" : "--bad");
      pen.lineWidth = k === chosen ? 3 : inside.length > 300 ? 0.8 : 1.4;
      pen.beginPath(); pen.moveTo(x, y); pen.lineTo(u, v);
      pen.moveTo(u - size, v - size); pen.lineTo(u + size, v + size);
      pen.moveTo(u - size, v + size); pen.lineTo(u + size, v - size); pen.stroke();
      const up = trips.s[k] > 0 ? 1 : -1;
      pen.fillStyle = tone(up > 0 ? "--own" : "--open");
      pen.beginPath(); pen.moveTo(x, y - up * size); pen.lineTo(x - size, y + up * size);
      pen.lineTo(x + size, y + up * size); pen.fill();
    }
  }
  function tell(count) {
    const { trips } = sleeve;
    if (chosen < 0) {
      said.textContent = `${count.toLocaleString("en")} trades, ${date(from, 1)} to ${date(to, 1)} UTC`;
      return;
    }
    const k = chosen, held = (trips.c[k] - trips.o[k]) / 1000;
    const long = held < 120 ? `${held.toFixed(1)} s` : held < 7200 ? `${(held / 60).toFixed(0)} min`
      : `${(held / 3600).toFixed(1)} h`;
    said.textContent = `${k + 1} of ${trips.o.length}: ${trips.s[k] > 0 ? "long" : "short"} from `
      + `${trips.e[k]} to ${trips.x[k]}, ${trips.g[k] > 0 ? "+" : ""}${trips.g[k]} after costs, `
      + `${long}, ended by ${data.reasons[trips.r[k]]}; opened ${date(trips.o[k], 1)} UTC`;
  }
  function step(by) {
    const { trips } = sleeve, n = trips.o.length;
    if (!n) return;
    chosen = chosen < 0 ? (by > 0 ? below(trips.o, from) % n : n - 1) : (chosen + by + n) % n;
    const reach = Math.max(2 * (trips.c[chosen] - trips.o[chosen]), sleeve.t[sleeve.t.length - 1] / 200);
    const middle = (trips.o[chosen] + trips.c[chosen]) / 2;
    look(middle - reach, middle + reach);
  }
  const time = (x) => from + (x - LEFT) / (canvas.clientWidth - LEFT - RIGHT) * (to - from);
  canvas.addEventListener("wheel", (e) => {
    e.preventDefault(); zoom(Math.exp(e.deltaY * 0.002), time(e.offsetX));
  }, { passive: false });
  const fingers = new Map();
  canvas.addEventListener("pointerdown", (e) => { fingers.set(e.pointerId, e.offsetX); canvas.setPointerCapture(e.pointerId); });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (e) => fingers.delete(e.pointerId));
  canvas.addEventListener("pointermove", (e) => {
    if (fingers.has(e.pointerId)) {
      const before = [...fingers.values()];
      fingers.set(e.pointerId, e.offsetX);
      const now = [...fingers.values()], width = to - from;
      if (now.length === 1) {
        const by = (before[0] - now[0]) / (canvas.clientWidth - LEFT - RIGHT) * width;
        look(from + by, to + by);
      } else {
        const was = Math.abs(before[0] - before[1]) || 1, is = Math.abs(now[0] - now[1]) || 1;
        zoom(was / is, time((now[0] + now[1]) / 2));
      }
      return;
    }
    let best = 144, found = -1;
    for (const [k, x, y, u, v] of shown) {
      const d = Math.min((x - e.offsetX) ** 2 + (y - e.offsetY) ** 2, (u - e.offsetX) ** 2 + (v - e.offsetY) ** 2);
      if (d < best) { best = d; found = k; }
    }
    if (found !== chosen) { chosen = found; draw(); }
  });
  const doing = { all, in: () => zoom(0.5), out: () => zoom(2), next: () => step(1), back: () => step(-1) };
  box.querySelectorAll("button").forEach((b) => b.addEventListener("click", () => doing[b.value]()));
  canvas.addEventListener("keydown", (e) => {
    const act = { ArrowRight: "next", ArrowLeft: "back", "+": "in", "-": "out", Home: "all" }[e.key];
    if (act) { e.preventDefault(); doing[act](); }
  });
  pick.addEventListener("change", () => { sleeve = sleeves[pick.selectedIndex]; all(); });
  addEventListener("resize", () => draw());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw());
  sleeve = sleeves[0];
  box.hidden = false;
  all();
})();
