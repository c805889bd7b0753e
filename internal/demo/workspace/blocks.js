// Draws Block Kit as a person sees it in Slack. Nothing an app or a person
// wrote is ever parsed as HTML.

const emojis = {
  alarm_clock: "⏰", arrows_counterclockwise: "🔄", ballot_box_with_check: "☑️", bell: "🔔", calendar: "📆", checkered_flag: "🏁",
  clipboard: "📋", gear: "⚙️", heavy_minus_sign: "➖", hourglass_flowing_sand: "⏳", inbox_tray: "📥", information_source: "ℹ️",
  lock: "🔒", no_entry_sign: "🚫", point_right: "👉", rotating_light: "🚨", speech_balloon: "💬", stopwatch: "⏱️", thumbsup: "👍",
  unlock: "🔓", warning: "⚠️", white_check_mark: "✅",
};

// el makes an element: el("a.name", {href}, child, "text").
export function el(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const e = Object.assign(document.createElement(name), props);
  if (classes.length) e.className = classes.join(" ");
  e.append(...children.flat().filter((c) => c !== null && c !== undefined));
  return e;
}

// world is what texts refer to: names of people and channels, and the time, in
// the zone of who reads.
export const world = { users: {}, channels: {}, now: () => new Date(), zone: undefined };

// local is a moment as the reader's clock and calendar have it.
export const local = (d, options) => d.toLocaleString("en-GB", { timeZone: world.zone, ...options });

const date = (d) => d.toLocaleDateString("sv-SE", { timeZone: world.zone });
const day = (d) => Date.parse(date(d));

function dateText(unix, format) {
  const at = new Date(unix * 1000);
  const style = (options) => local(at, options);
  const plain = {
    time: () => style({ hour: "2-digit", minute: "2-digit" }),
    time_secs: () => style({ hour: "2-digit", minute: "2-digit", second: "2-digit" }),
    date_num: () => date(at),
    date: () => style({ day: "numeric", month: "long", year: "numeric" }),
    date_short: () => style({ day: "numeric", month: "short", year: "numeric" }),
    date_long: () => style({ weekday: "long", day: "numeric", month: "long", year: "numeric" }),
    ago: () => {
      const minutes = Math.round((at - world.now()) / 60000);
      return new Intl.RelativeTimeFormat("en").format(Math.abs(minutes) < 90 ? minutes : Math.round(minutes / 60), Math.abs(minutes) < 90 ? "minute" : "hour");
    },
  };
  return format.replace(/{(\w+?)(_pretty)?}/g, (token, name, pretty) => {
    const days = Math.round((day(at) - day(world.now())) / 86400000);
    if (pretty && Math.abs(days) < 2) return ["yesterday", "today", "tomorrow"][days + 1];
    return plain[name] ? plain[name]() : token;
  });
}

const user = (id) => el("span.mention", {}, "@" + (world.users[id]?.name ?? id));
const channel = (id) => el("span.mention", {}, "#" + (world.channels[id]?.name ?? id));
const link = (url, text) => el("a", { href: url, target: "_blank", rel: "noreferrer" }, text || url);
const emoji = (name) => emojis[name] ?? `:${name}:`;

function styled(node, s = {}) {
  for (const [on, tag] of [[s.code, "code"], [s.bold, "b"], [s.italic, "i"], [s.strike, "s"]]) if (on) node = el(tag, {}, node);
  return node;
}

function rich(e) {
  switch (e.type) {
    case "rich_text_section": return el("p", {}, e.elements.map(rich));
    case "rich_text_quote": return el("blockquote", {}, e.elements.map(rich));
    case "rich_text_preformatted": return el("pre", {}, e.elements.map(rich));
    case "rich_text_list": return el(e.style === "ordered" ? "ol" : "ul", {}, e.elements.map((i) => el("li", {}, rich(i))));
    case "text": return styled(e.text, e.style);
    case "user": return user(e.user_id);
    case "channel": return channel(e.channel_id);
    case "emoji": return emoji(e.name);
    case "link": return link(e.url, e.text);
    case "date": return styled(dateText(e.timestamp, e.format), e.style);
    default: return `[${e.type}]`;
  }
}

// mrkdwn draws the small lines that can't be rich text.
function mrkdwn(text) {
  const out = [];
  const plain = (s) => s.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
  for (const part of text.split(/(<[^>]+>|`[^`]+`|\*[^*\n]+\*|:[a-z_]+:)/)) {
    const inner = part.slice(1, -1);
    if (/^<@/.test(part)) out.push(user(inner.slice(1).split("|")[0]));
    else if (/^<#/.test(part)) out.push(channel(inner.slice(1).split("|")[0]));
    else if (/^<!date\^/.test(part)) out.push(dateText(Number(inner.split("^")[1]), inner.split("^")[2].split("|")[0]));
    else if (/^</.test(part)) out.push(link(inner.split("|")[0], plain(inner.split("|")[1] ?? "")));
    else if (/^`/.test(part)) out.push(el("code", {}, plain(inner)));
    else if (/^\*/.test(part)) out.push(el("b", {}, plain(inner)));
    else if (/^:/.test(part)) out.push(emoji(inner));
    else out.push(plain(part));
  }
  return out;
}

export const text = (t) => (!t ? "" : t.type === "mrkdwn" ? el("span", {}, mrkdwn(t.text)) : t.text.replace(/:([a-z_]+):/g, (_, n) => emoji(n)));

// draw makes one block; on is {act(element, block, value), input(element, block)}.
export function draw(b, on) {
  switch (b.type) {
    case "header": return el("h3", {}, text(b.text));
    case "divider": return el("hr");
    case "rich_text": return el("div.block", {}, b.elements.map(rich));
    case "section": return el("div.block", {}, el("p", {}, text(b.text)), (b.fields ?? []).map((f) => el("p", {}, text(f))), b.accessory ? control(b.accessory, b, on) : null);
    case "context": return el("div.block.context", {}, b.elements.map((e) => el("p", {}, text(e))));
    case "actions": return el("div.actions", {}, b.elements.map((e) => control(e, b, on)));
    case "image": return el("div.block", {}, picture(b.slack_file?.id, b.alt_text));
    case "input": return el("label.field", {}, el("span", {}, text(b.label), b.optional ? el("small.dim", {}, " (optional)") : null), on.input(b.element, b), b.hint ? el("small.dim", {}, text(b.hint)) : null);
    default: return el("div.block", {}, `[${b.type}]`);
  }
}

export const picture = (id, alt) => el("img.picture", { src: "workspace/files/" + id, alt: alt ?? "", onload: (e) => e.target.closest("article")?.nextSibling || e.target.scrollIntoView({ block: "end" }) });

function control(e, b, on) {
  if (e.type === "button") return el("button" + (e.style ? "." + e.style : ""), { type: "button", onclick: () => on.act(e, b) }, text(e.text));
  return on.input(e, b);
}
