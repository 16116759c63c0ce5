// The launcher on another site's page: a button in the corner and, once it is pressed, the chat in a
// frame of its own. The page it stands in gets no word of any conversation, and nothing is fetched
// before the button is pressed. The server calls this function with the shop's name and words.
(shop => {
  "use strict";
  const NAME = "shopbot-widget";
  const REFUSED_MS = 6000;   // a frame that has loaded and says nothing for so long was refused
  const SEEN = "shopbot.widget";
  const SVG = "http://www.w3.org/2000/svg";
  const BUBBLE = "M4 5.5h16v10.5H11l-4.5 3.8V16H4z";
  const CROSS = "m6 6 12 12M18 6 6 18";

  const script = document.currentScript
    ?? document.querySelector('script[src$="/widget.js"], script[src*="/widget.js?"]');
  if (!script || window.shopbotWidget) return;
  const given = script.dataset;
  const chat = new URL("chat/", script.src);
  const asked = (given.locale || document.documentElement.lang || navigator.language || "").toLowerCase();
  const locale = ["en", "zh"].find(one => asked.startsWith(one)) ?? shop.language;
  chat.search = new URLSearchParams({ widget: "1", locale });
  const words = Object.fromEntries(
    Object.entries(shop.words[locale]).map(([key, text]) => [key, text.replace("{shop}", shop.title)]),
  );
  const accent = given.accent && CSS.supports("color", given.accent) ? given.accent : shop.accent;
  const side = given.position === "left" ? "left" : "right";

  const STYLE = `
    :host { all: initial !important; }
    * { box-sizing: border-box; }
    [hidden] { display: none !important; }
    button, .panel { position: fixed; z-index: 2147483000; ${side}: max(20px, env(safe-area-inset-${side})); }
    button {
      display: flex; align-items: center; gap: 10px; height: 56px; max-width: min(320px, calc(100vw - 40px));
      bottom: max(20px, env(safe-area-inset-bottom)); padding: 0 22px 0 18px; border: 0; border-radius: 28px;
      background: ${accent}; color: #fff; font: 600 16px/1.2 system-ui, "PingFang SC", "Noto Sans CJK SC", sans-serif;
      cursor: pointer; box-shadow: 0 6px 24px rgb(0 0 0 / 22%);
    }
    button:hover { filter: brightness(1.07); }
    button:focus-visible { outline: 3px solid ${accent}; outline-offset: 3px; }
    button.open { padding: 0 16px; }
    button.open .label { display: none; }
    .label { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    svg { width: 24px; height: 24px; flex: none; fill: none; stroke: currentColor; stroke-width: 1.8;
      stroke-linecap: round; stroke-linejoin: round; }
    .dot { position: absolute; top: 2px; right: 4px; width: 14px; height: 14px; border-radius: 50%;
      background: #d3232f; border: 2px solid #fff; }
    .panel {
      bottom: calc(max(20px, env(safe-area-inset-bottom)) + 70px); width: min(410px, calc(100vw - 40px));
      height: min(680px, calc(100vh - 116px)); overflow: hidden; border-radius: 18px; background: #fbf8f3;
      box-shadow: 0 12px 48px rgb(0 0 0 / 26%), 0 0 0 1px rgb(0 0 0 / 8%);
    }
    iframe { display: block; width: 100%; height: 100%; border: 0; }
    .refused { position: absolute; inset: 0; display: grid; align-content: center; justify-items: center; gap: 14px;
      padding: 32px; background: #fbf8f3; color: #2b2622; text-align: center;
      font: 17px/1.5 system-ui, "PingFang SC", "Noto Sans CJK SC", sans-serif; }
    .refused p { margin: 0; }
    .refused a { color: inherit; font-weight: 600; }
    @media (max-width: 560px), (max-height: 460px) {
      .panel { inset: 0; width: 100%; height: 100vh; height: 100dvh; border-radius: 0; }
      button { padding: 0 16px; }
      .label, button.open { display: none; }
      .refused { padding-top: 72px; }
    }
    @media (prefers-reduced-motion: no-preference) {
      .panel { animation: rise 0.18s ease-out; }
      @keyframes rise { from { opacity: 0; transform: translateY(10px); } }
    }
  `;

  const memory = {
    get() { try { return sessionStorage.getItem(SEEN); } catch { return null; } },
    set(value) { try { sessionStorage.setItem(SEEN, value); } catch { /* a page that keeps nothing */ } },
  };
  const small = matchMedia("(max-width: 560px), (max-height: 460px)");

  function make(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  function icon() {
    const path = document.createElementNS(SVG, "path");
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    svg.append(path);
    return { svg, draw: shape => path.setAttribute("d", shape) };
  }

  function build() {
    const host = make("div", { id: NAME });
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();   // not inline, so that a strict page policy lets it be
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];

    const { svg, draw } = icon();
    const dot = make("span", { class: "dot" });
    const button = make(
      "button", { type: "button", "aria-expanded": "false", "aria-controls": "panel" },
      svg, make("span", { class: "label" }, words.open), dot,
    );
    const refused = make(
      "div", { class: "refused" },
      make("p", {}, words.refused),
      make("a", { href: new URL("chat/", script.src), target: "_blank", rel: "noopener" }, words.apart),
    );
    const panel = make("section", { id: "panel", class: "panel", role: "dialog", "aria-label": words.panel }, refused);
    root.append(panel, button);
    panel.hidden = refused.hidden = dot.hidden = true;

    let frame = null;
    let speaks = false;
    let eager = false;   // the shopper opened it, and is to write at once
    let timer = 0;

    function load() {
      if (frame) return;
      frame = make("iframe", { src: chat, title: words.panel, referrerpolicy: "no-referrer" });
      frame.addEventListener("load", () => {
        clearTimeout(timer);
        timer = setTimeout(() => { refused.hidden = speaks; }, REFUSED_MS);
      });
      panel.prepend(frame);
    }

    function paint(open) {
      panel.hidden = !open;
      button.classList.toggle("open", open);
      button.setAttribute("aria-expanded", String(open));
      button.setAttribute("aria-label", open ? words.close : words.open);
      draw(open ? CROSS : BUBBLE);
    }

    function open({ focus = true } = {}) {
      load();
      paint(true);
      dot.hidden = true;
      memory.set("open");
      eager = focus;
      greet();
    }

    function greet() {
      if (!eager || !speaks) return;
      eager = false;
      frame.focus();
      frame.contentWindow.postMessage({ shopbot: "shown" }, chat.origin);
    }

    function close() {
      const had = !panel.hidden;
      paint(false);
      memory.set("closed");
      if (had) button.focus();
    }

    button.addEventListener("click", () => (panel.hidden ? open() : close()));
    root.addEventListener("keydown", event => { if (event.key === "Escape" && !panel.hidden) close(); });
    addEventListener("message", event => {
      if (!frame || event.source !== frame.contentWindow || event.origin !== chat.origin) return;
      const what = event.data?.shopbot;
      if (what === "ready") {
        speaks = true;
        refused.hidden = true;
        greet();
      } else if (what === "close") {
        close();
      } else if (what === "news" && panel.hidden) {
        dot.hidden = false;
        button.setAttribute("aria-label", `${words.open}. ${words.news}`);
      }
    });

    paint(false);
    document.body.append(host);
    // A shopper who leafs through the shop finds the chat as it was left.
    const left = memory.get();
    if (left === "open" && !small.matches) open({ focus: false });
    else if (left) (window.requestIdleCallback ?? setTimeout)(load);
    window.shopbotWidget = { open, close };
  }

  window.shopbotWidget = {};
  if (document.body) build(); else document.addEventListener("DOMContentLoaded", build, { once: true });
})
