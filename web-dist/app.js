// The plain page: headline numbers, counts, alerts and a query over the HTTP API. Everything that comes from the server
// is inserted as text, never as markup.

const OVERVIEW_EVERY_MS = 2000;
const STATS_EVERY_MS = 5000;
const RECONNECT_AFTER_MS = 2000;
const TIMEOUT_MS = 15000;
const ALERTS_SHOWN = 50;
const RECORDS_PER_PAGE = 10;
const SEVERITY = { high: "高危", medium: "中危", low: "低危" };
const RULE = { window: "短时异地", speed: "超速不可达" };

const $ = (id) => document.getElementById(id);
const labels = new Map();
const labelOf = (kkmc) => labels.get(kkmc) ?? kkmc;
const grouped = (number) => number.toLocaleString("zh-CN");
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children.map(String));
  return made;
}

// --- server -----------------------------------------------------------------------------------------------------------

async function api(path, body) {
  const options = { signal: AbortSignal.timeout(TIMEOUT_MS) };
  if (body) Object.assign(options, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
  const response = await fetch(`/api/${path}`, options);
  const envelope = await response.json();
  if (envelope.code !== 200) throw new Error(envelope.msg);
  return envelope.data;
}

function connected(live) {
  $("banner").hidden = live;
  $("banner").textContent = live ? "" : "与服务器的连接已断开，正在自动重连……";
  $("state").textContent = live ? "实时" : "离线";
  $("state").className = `state ${live ? "live" : "away"}`;
}

async function every(ms, refresh) {
  for (;;) {
    if (!document.hidden) {
      try {
        await refresh();
        connected(true);
      } catch {
        connected(false);
      }
    }
    await pause(ms);
  }
}

// --- numbers and charts -----------------------------------------------------------------------------------------------

function showNumber(id, number) {
  // Each group of three digits in its own span: easy to read, and the text stays a plain number.
  const groups = String(number).replace(/\B(?=(\d{3})+$)/g, " ").split(" ");
  $(id).replaceChildren(...groups.map((digits) => element("span", "", digits)));
}

async function refreshOverview() {
  const overview = await api("overview");
  showNumber("total", overview.total);
  showNumber("today", overview.today);
  showNumber("last-minute", overview.last_minute);
  showNumber("active", overview.active_checkpoints);
  showNumber("alerts-today", overview.alerts_today);
  showNumber("alerts-total", overview.alerts);
  $("date").textContent = overview.date;
  $("newest").textContent = overview.newest_gcsj ?? "—";
}

function showBars(id, entries) {
  const most = Math.max(1, ...entries.map((entry) => entry.value));
  const rows = entries.flatMap((entry) => {
    const name = element("span", "name", entry.label ?? entry.name);
    name.title = entry.name;
    const track = element("span", "track");
    const fill = track.appendChild(element("div", "fill"));
    fill.style.width = `${(100 * entry.value) / most}%`;
    return [name, track, element("span", "value", grouped(entry.value))];
  });
  $(id).replaceChildren(...(rows.length ? rows : [element("p", "empty", "暂无数据")]));
}

function showHours({ hours, data }) {
  const svg = $("hours");
  const [width, height] = [svg.clientWidth || 720, svg.clientHeight || 270];
  const [left, bottom, top] = [56, 22, 14];
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const most = Math.max(1, ...data);
  const step = (width - left) / data.length;
  const y = (value) => top + (height - top - bottom) * (1 - value / most);
  const shape = (tag, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const parts = [];
  for (const value of most > 1 ? [0, Math.round(most / 2), most] : [0, most]) {
    parts.push(shape("line", { x1: left, x2: width, y1: y(value), y2: y(value) }));
    parts.push(shape("text", { x: left - 8, y: y(value) + 4, class: "value" }, grouped(value)));
  }
  data.forEach((value, hour) => {
    const bar = shape("rect", {
      x: left + hour * step + step * 0.15, y: y(value), width: step * 0.7, height: y(0) - y(value), rx: 2,
      class: value === most ? "busiest" : "",
    });
    bar.append(shape("title", {}, `${hours[hour]} ${grouped(value)} 辆`));
    parts.push(bar);
    if (hour % 3 === 0) parts.push(shape("text", { x: left + (hour + 0.5) * step, y: height - 6 }, hours[hour]));
  });
  svg.replaceChildren(...parts);
}

async function refreshStats() {
  const [hours, busiest, districts, types] = await Promise.all([
    api("stats/hour_count"), api("stats/kkmc_count?limit=10"), api("stats/map_data"), api("stats/vehicle_type"),
  ]);
  showHours(hours);
  showBars("checkpoints", busiest);
  showBars("districts", districts.slice(0, 10));
  showBars("types", types);
}

// --- alerts -----------------------------------------------------------------------------------------------------------

let newestSeq = 0;

function alertRow(alert) {
  const row = element("li", `alert ${alert.severity in SEVERITY ? alert.severity : ""}`);
  row.dataset.seq = alert.seq;
  const plate = element("button", "plate", alert.hphm);
  plate.type = "button";
  plate.title = "查询该车牌的过车记录";
  plate.addEventListener("click", () => queryPlate(alert.hphm));
  const head = element("div", "head");
  head.append(element("span", "severity", SEVERITY[alert.severity] ?? alert.severity), plate, element("span", "when", alert.curr_time));
  const evidence = [`间隔 ${alert.gap_seconds} 秒`];
  if (alert.distance_km !== null) evidence.push(`相距 ${alert.distance_km} 公里`);
  if (alert.speed_kmh !== null) evidence.push(`需 ${grouped(alert.speed_kmh)} 公里/时`);
  evidence.push(RULE[alert.rule] ?? alert.rule);
  row.append(
    head,
    element("div", "places", `${labelOf(alert.prev_kkmc)} → ${labelOf(alert.curr_kkmc)}`),
    element("div", "evidence", evidence.join(" · ")),
  );
  return row;
}

function addAlert(alert, fresh) {
  if (alert.seq <= newestSeq) return;
  newestSeq = alert.seq;
  const row = alertRow(alert);
  if (fresh) row.classList.add("fresh");
  $("alerts").prepend(row);
  while ($("alerts").childElementCount > ALERTS_SHOWN) $("alerts").lastElementChild.remove();
  $("no-alerts").hidden = true;
}

// Reads the newest alerts, then follows the stream from there; begins again whenever the stream breaks.
async function followAlerts() {
  for (;;) {
    try {
      const newest = await api(`warnings/realtime?limit=${ALERTS_SHOWN}`);
      if ((newest[0]?.seq ?? 0) < newestSeq) {
        // The server began a new data directory.
        newestSeq = 0;
        $("alerts").replaceChildren();
        $("no-alerts").hidden = false;
      }
      for (const alert of newest.reverse()) addAlert(alert, false);
      await new Promise((broken) => {
        const stream = new EventSource(`/api/warnings/stream?lastEventId=${newestSeq}`);
        stream.addEventListener("warning", (event) => addAlert(JSON.parse(event.data), true));
        stream.onerror = () => {
          stream.close();
          broken();
        };
      });
    } catch {
      // The banner is the overview's business: it asks more often.
    }
    await pause(RECONNECT_AFTER_MS);
  }
}

// --- query ------------------------------------------------------------------------------------------------------------

let page = 1;
let generation = 0;

async function runQuery() {
  const mine = ++generation;
  const body = { ...Object.fromEntries(new FormData($("query"))), page, limit: RECORDS_PER_PAGE };
  const found = $("found");
  try {
    const { total, records } = await api("query", body);
    if (mine !== generation) return; // A newer question was asked meanwhile.
    found.className = "";
    found.textContent = total ? `共 ${grouped(total)} 条，第 ${page} / ${Math.ceil(total / RECORDS_PER_PAGE)} 页` : "没有符合条件的记录";
    $("previous").disabled = page <= 1;
    $("next").disabled = page * RECORDS_PER_PAGE >= total;
    $("records").replaceChildren(...records.map(recordRow));
  } catch (error) {
    if (mine !== generation) return;
    found.className = "wrong";
    found.textContent = `查询失败：${error.message}`;
  }
}

function recordRow(record) {
  const row = element("tr");
  for (const text of [record.GCSJ, record.HPHM, record.KKMC_LABEL, record.XZQHMC, record.FXLX, record.VEHICLE_TYPE_NAME, record.FUEL_TYPE, record.CLPPXH, record.GCXH]) {
    row.append(element("td", "", text));
  }
  row.children[2].title = record.KKMC;
  return row;
}

function queryFrom(first) {
  page = first;
  runQuery();
}

function queryPlate(hphm) {
  $("query").reset();
  $("query").elements.hphm.value = hphm;
  queryFrom(1);
  $("query").scrollIntoView({ behavior: "smooth", block: "nearest" });
}

$("query").addEventListener("submit", (event) => {
  event.preventDefault();
  queryFrom(1);
});
$("query").addEventListener("reset", () => setTimeout(() => queryFrom(1)));
$("previous").addEventListener("click", () => queryFrom(page - 1));
$("next").addEventListener("click", () => queryFrom(page + 1));

// --- start ------------------------------------------------------------------------------------------------------------

async function loadLabels() {
  const checkpoints = await api("checkpoints").catch(() => []);
  for (const { code, kkmc, label } of checkpoints) {
    labels.set(code, label || code).set(kkmc, label || code);
    const option = $("kkmc").appendChild(document.createElement("option"));
    option.value = label || code;
  }
}

every(OVERVIEW_EVERY_MS, refreshOverview);
every(STATS_EVERY_MS, refreshStats);
loadLabels().then(() => {
  followAlerts();
  runQuery();
});
