// A workspace to click in: one page over the simulated Slack's management API.
import { draw, el, local, picture, text, world } from "./blocks.js";

const $ = (id) => document.getElementById(id);
const HOME = "home", APP_DM = "dm";
const state = { me: "", room: "", seen: {}, shown: "", modal: "", typed: {} };

async function call(path, body) {
  const r = await fetch("manage/" + path, body === undefined ? {} : { method: "POST", body: JSON.stringify(body) });
  const answer = await r.json().catch(() => ({}));
  if (!r.ok) throw new Error(answer.error ?? r.statusText);
  return answer;
}

function toast(words) {
  $("toast").textContent = words;
  $("toast").classList.add("on");
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => $("toast").classList.remove("on"), 6000);
}

// does lets the person do something, and says what Slack would say of it.
async function does(what, body) {
  try {
    const reply = await call(`people/${state.me}/${what}`, body);
    if (reply?.error) toast({ operation_timeout: "pagbot did not answer in time (operation_timeout)" }[reply.error] ?? `Slack says: ${reply.error}`);
    return reply ?? {};
  } catch (e) {
    toast(e.message);
    return {};
  } finally {
    refresh();
  }
}

const acts = (at) => ({
  act: async (e, b, value) => {
    if (e.url) window.open(e.url, "_blank", "noreferrer");
    await does("act", { ...at, action: e.action_id, block: b.block_id, value });
  },
  input: (e, b) => field(e, b, at),
});

// field makes an input element; what is typed outlives a redrawing.
function field(e, b, at) {
  const key = b.block_id + "/" + e.action_id;
  const first = e.initial_value ?? e.initial_option?.value ?? e.initial_time ?? e.initial_date ?? e.initial_options?.map((o) => o.value) ?? "";
  if (at.view && !(key in state.typed)) state.typed[key] = { value: first, label: e.initial_option?.text.text ?? e.initial_options?.map((o) => o.text.text).join(", ") };
  const now = state.typed[key] ?? { value: first };
  const set = (value, label) => {
    state.typed[key] = { value, label };
    if (b.type !== "input" || b.dispatch_action) does("act", { ...at, action: e.action_id, block: b.block_id, value });
  };
  const placeholder = e.placeholder?.text ?? "";
  switch (e.type) {
    case "plain_text_input": return el(e.multiline ? "textarea" : "input", { value: now.value, placeholder, maxLength: e.max_length ?? 3000, oninput: (v) => set(v.target.value) });
    case "timepicker": return el("input", { type: "time", value: now.value, onchange: (v) => set(v.target.value) });
    case "datepicker": return el("input", { type: "date", value: now.value, onchange: (v) => set(v.target.value) });
    case "overflow":
    case "static_select": return el("select", { onchange: (v) => set(v.target.value) }, now.value ? null : el("option", { value: "" }, placeholder || "…"),
      e.options.map((o) => el("option", { value: o.value, selected: o.value === now.value }, text(o.text))));
    case "radio_buttons":
    case "checkboxes": return el("div", {}, e.options.map((o) => {
      const box = el("input", { type: e.type === "checkboxes" ? "checkbox" : "radio", name: key, value: o.value, checked: [now.value].flat().includes(o.value), style: "width:auto",
        onchange: () => set(e.type === "checkboxes" ? [...box.closest("div").querySelectorAll(":checked")].map((c) => c.value) : o.value) });
      return el("label", { style: "display:block" }, box, " ", text(o.text));
    }));
    case "external_select":
    case "multi_external_select": return suggesting(e, b, at, now, set);
    default: return el("span.dim", {}, `[${e.type}]`);
  }
}

// suggesting asks the app for options while the person types.
function suggesting(e, b, at, now, set) {
  const several = e.type.startsWith("multi_");
  const picked = el("div.dim", {}, several && now.label ? now.label : "");
  const list = el("div.options", { hidden: true });
  const input = el("input", { value: several ? "" : (now.label ?? ""), placeholder: e.placeholder?.text ?? "", autocomplete: "off" });
  let turn = 0;
  const offer = async () => {
    const mine = ++turn;
    const options = await call(`people/${state.me}/suggest`, { ...at, action: e.action_id, block: b.block_id, text: input.value }).catch((x) => (toast(x.message), []));
    if (mine !== turn) return;
    list.hidden = false;
    list.replaceChildren(...(options ?? []).map((o) => el("button", { type: "button", onclick: () => {
      list.hidden = true;
      if (!several) return (input.value = o.text.text), set(o.value, o.text.text);
      const values = [now.value].flat().filter(Boolean), labels = now.label ? [now.label] : [];
      if (!values.includes(o.value)) values.push(o.value), labels.push(o.text.text);
      now = { value: values, label: labels.join(", ") };
      picked.textContent = now.label;
      input.value = "";
      set(now.value, now.label);
    } }, text(o.text))));
  };
  input.onfocus = input.oninput = offer;
  return el("div", {}, picked, input, list);
}

function message(m) {
  const by = m.app_id ? "pagbot" : (world.users[m.user]?.name ?? m.user);
  const at = { channel: m.channel, ts: m.ts };
  return el("article" + (m.thread_ts && m.thread_ts !== m.ts ? ".reply" : "") + (m.is_ephemeral ? ".private" : ""), {},
    el("div.face" + (m.app_id ? ".app" : ""), {}, by[0].toUpperCase()),
    el("div", {},
      el("h2", {}, by, m.app_id ? el("span.tag", {}, "APP") : " ", el("time", {}, local(new Date(m.ts * 1000), { hour: "2-digit", minute: "2-digit" })),
        m.is_ephemeral ? el("span.dim", {}, " · only visible to you") : null, m.edited ? el("span.dim", {}, " · edited") : null),
      m.blocks?.length ? m.blocks.map((b) => draw(b, acts(at))) : el("div.block", {}, el("p", {}, text({ type: "mrkdwn", text: m.text }))),
      (m.files ?? []).map((f) => picture(f.id, f.alt_txt))));
}

// threaded puts answers below what they answer.
function threaded(all) {
  const top = all.filter((m) => !m.thread_ts || m.thread_ts === m.ts);
  return top.flatMap((m) => [m, ...all.filter((r) => r !== m && r.thread_ts === m.ts)]);
}

async function showRoom() {
  let nodes, shown;
  if (state.room === HOME) {
    const home = await call(`people/${state.me}/home`).catch(() => null);
    shown = JSON.stringify(home);
    nodes = () => home ? home.blocks.map((b) => draw(b, acts({ view: home.id }))) : [el("p.dim", {}, "pagbot is getting this ready…")];
  } else {
    const all = (await call(`people/${state.me}/messages?channel=${state.room === APP_DM ? "" : state.room}`)) ?? [];
    shown = JSON.stringify(all);
    nodes = () => threaded(all).map(message);
  }
  shown = state.me + state.room + shown;
  if (shown === state.shown) return;
  state.shown = shown;
  const box = $("messages"), low = box.scrollHeight - box.scrollTop - box.clientHeight < 60;
  box.replaceChildren(...nodes());
  if (low && state.room !== HOME) box.scrollTop = box.scrollHeight;
}

async function showModal() {
  const views = (await call(`people/${state.me}/views`)) ?? [];
  const v = views.at(-1), dialog = $("modal");
  const shown = v ? v.id + v.hash : "";
  if (shown === state.modal) return;
  if (!v || !state.modal.startsWith(v.id)) state.typed = {};
  state.modal = shown;
  if (!v) return dialog.close();
  const at = { view: v.id }, wrong = {};
  const form = el("form", { onsubmit: async (event) => {
    event.preventDefault();
    const values = {};
    for (const b of v.blocks) if (b.type === "input") {
      const typed = state.typed[b.block_id + "/" + b.element.action_id]?.value;
      if (typed?.length) values[b.block_id] = typed;
    }
    const reply = await does("submit", { view: v.id, values });
    for (const id in wrong) wrong[id].textContent = reply.errors?.[id] ?? "";
  } },
  el("h2", {}, v.title),
  v.blocks.map((b) => {
    const drawn = draw(b, acts(at));
    return b.type === "input" ? el("div", {}, drawn, (wrong[b.block_id] = el("div.wrong"))) : drawn;
  }),
  el("footer", {}, el("button", { type: "button", onclick: () => does("dismiss", { view: v.id }) }, v.close || "Cancel"), v.submit ? el("button", { type: "submit" }, v.submit) : null));
  dialog.replaceChildren(form);
  if (!dialog.open) dialog.showModal();
}

async function showNews() {
  for (const b of $("rooms").querySelectorAll("button")) {
    const room = b.dataset.room;
    b.setAttribute("aria-current", room === state.room);
    if (room === HOME) continue;
    const all = (await call(`people/${state.me}/messages?channel=${room === APP_DM ? "" : room}`)) ?? [];
    const key = state.me + room, last = all.length ? all[all.length - 1].ts + all.map((m) => m.revision).join() : "";
    if (room === state.room || !(key in state.seen)) state.seen[key] = last;
    b.classList.toggle("new", state.seen[key] !== last);
  }
}

let busy = false;
async function refresh() {
  if (busy || !state.me) return;
  busy = true;
  try {
    await Promise.all([tick(), showRoom(), showModal(), showNews()]);
  } catch (e) {
    toast("The company has closed: " + e.message);
  } finally {
    busy = false;
  }
}

async function enter(room) {
  state.room = room;
  $("room").textContent = { [HOME]: "pagbot · Home", [APP_DM]: "pagbot · Messages" }[room] ?? "# " + world.channels[room].name;
  $("composer").hidden = room === HOME;
  state.shown = "";
  if (room === HOME) await does("home", {});
  $("messages").scrollTop = $("messages").scrollHeight;
  refresh();
}

function become(id) {
  state.me = id;
  world.zone = world.users[id].tz;
  state.modal = "";
  const rooms = Object.values(world.channels).filter((c) => !c.im && c.members?.includes(id));
  $("rooms").replaceChildren(...[...rooms.map((c) => [c.id, "# " + c.name]), [APP_DM, "pagbot"], [HOME, "pagbot's Home tab"]]
    .map(([room, label]) => el("li", {}, el("button", { onclick: () => enter(room) }, label))));
  $("rooms").querySelectorAll("button").forEach((b, i) => (b.dataset.room = [...rooms.map((c) => c.id), APP_DM, HOME][i]));
  enter(rooms[0]?.id ?? APP_DM);
  history.replaceState(null, "", "#" + world.users[id].name);
}

$("composer").onsubmit = async (event) => {
  event.preventDefault();
  const typed = $("text").value.trim();
  if (!typed) return;
  $("text").value = "";
  const own = ((await call("channels")) ?? []).find((c) => c.im === state.me);
  const channel = state.room === APP_DM ? own?.id : state.room;
  if (typed.startsWith("/")) {
    await does("command", { channel, text: typed });
  } else {
    await does("say", { channel, text: typed });
  }
};

async function tick() {
  const { now } = await (await fetch("workspace/clock")).json();
  world.now = () => new Date(now);
  $("clock").textContent = local(world.now(), { weekday: "long", hour: "2-digit", minute: "2-digit" });
}

async function start() {
  await tick();
  for (const u of await call("users")) world.users[u.id] = u;
  for (const c of await call("channels")) world.channels[c.id] = c;
  const people = Object.values(world.users).filter((u) => !u.is_bot && !u.is_app_user);
  $("me").replaceChildren(...people.map((u) => el("option", { value: u.id }, u.name)));
  $("me").onchange = () => become($("me").value);
  const asked = people.find((u) => "#" + u.name === location.hash) ?? people.find((u) => u.name === "requester") ?? people[0];
  $("me").value = asked.id;
  become(asked.id);
  setInterval(refresh, 1000);
}
start();
