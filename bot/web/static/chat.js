// The chat page's behaviour: it raises five Gradio events and shows what comes back.
// HTML is made and escaped by the server; what the shopper types is only ever set as text here.
"use strict";

window.shopbotChat = {
  start(element, props, trigger, watch, [OPEN, SEND, RATE, WIPE, LOOK]) {
    const FIRST_WORD_MS = 25000;   // an event that is not even acknowledged by then is lost
    const NEXT_WORD_MS = 45000;    // the server says at least "still working" every 10 s
    const ATTENTIVE_MS = 4000;     // how often a page looks for a person who speaks or is awaited …
    const IDLE_MS = 20000;         // … and for one who may come
    const UNREACHABLE = {
      en: "The shop cannot be reached just now. Please try again.",
      zh: "暂时无法连接商店,请稍后重试。",
    };
    const root = element.querySelector("#shopbot");
    const log = root.querySelector(".sb-log");
    const form = root.querySelector(".sb-composer");
    const input = root.querySelector("textarea");
    const consent = root.querySelector(".sb-consent");
    const spoken = root.querySelector("#sb-spoken");
    const latest = root.querySelector(".sb-latest");
    const status = root.querySelector(".sb-status");
    const asked = new URLSearchParams(location.search);
    const wanted = asked.get("locale") || navigator.language || "";
    const framed = asked.has("widget") && window.parent !== window;
    const store = "shopbot.session:" + location.pathname.replace(/\/+$/, "");

    let chrome = null;
    let sending = null;            // {key, message} of the turn under way
    let lastTry = null;            // {key, message} that "try again" sends once more
    let timer = 0;
    let heard = 0;                 // the newest message of a person that is shown
    let attentive = false;
    let lookout = 0;
    let eager = false;             // the page around the frame has just shown it
    let memory = "";               // where the browser refuses storage, the tab remembers

    // The token is the key to the conversation; it stays in this browser's own storage.
    const token = {
      get() {
        try { return localStorage.getItem(store) || memory; } catch { return memory; }
      },
      set(value) {
        memory = value;
        try {
          if (value) localStorage.setItem(store, value); else localStorage.removeItem(store);
        } catch { /* kept in memory */ }
      },
    };

    const randomKey = () =>
      Array.from(crypto.getRandomValues(new Uint8Array(16)), b => b.toString(16).padStart(2, "0")).join("");
    // The page around the frame learns that there is a chat, and nothing of what is said.
    const tellPage = what => { if (framed) window.parent.postMessage({ shopbot: what }, "*"); };
    const raise = (event, data) =>
      trigger(event, { token: token.get(), language: wanted, ...data });
    const say = text => { spoken.textContent = text; };

    function expect(milliseconds, lost) {
      clearTimeout(timer);
      timer = milliseconds ? setTimeout(lost, milliseconds) : 0;
    }

    // Persons write when they like, so the page looks for it, while it is seen and has a conversation.
    function look() {
      if (token.get() && !document.hidden) raise(LOOK, { after: heard });
      lookOut();
    }

    function lookOut() {
      clearTimeout(lookout);
      lookout = setTimeout(look, attentive ? ATTENTIVE_MS : IDLE_MS);
    }

    function attend(on) {
      const news = on && !attentive;
      attentive = on;
      if (news) look(); else lookOut();
    }

    function turn(key) {
      for (const node of log.children) if (node.dataset.key === key) return node;
      const node = document.createElement("article");
      node.className = "sb-turn";
      node.dataset.key = key;
      log.append(node);
      return node;
    }

    function show(key, html) {
      const node = turn(key);
      node.innerHTML = html;
      for (const image of node.querySelectorAll("img")) {
        image.addEventListener("error", () => image.remove(), { once: true });
      }
      return node;
    }

    // A new question goes to the top of the view, so that its answer is read from the beginning.
    function reveal(node) {
      log.scrollTo({ top: node.offsetTop - 14, behavior: "auto" });
    }

    function watchEnd() {
      latest.hidden = log.scrollHeight - log.scrollTop - log.clientHeight < 120;
    }

    function settle() {
      sending = null;
      expect(0);
      root.classList.remove("sb-busy");
      log.setAttribute("aria-busy", "false");
    }

    function unreachable(key) {
      const text = chrome?.unreachable ?? UNREACHABLE[wanted.startsWith("zh") ? "zh" : "en"];
      const box = document.createElement("div");
      box.className = "sb-answer sb-failure";
      box.setAttribute("role", "alert");
      const words = document.createElement("p");
      words.textContent = text;
      const again = document.createElement("button");
      again.type = "button";
      again.dataset.act = key ? "retry" : "reopen";
      again.textContent = chrome?.retry ?? "↻";
      box.append(words, again);
      const node = turn(key || "opening");
      node.querySelector(".sb-answer")?.remove();
      node.append(box);
      settle();
    }

    function send(message, again = null) {
      if (sending || !chrome || !message.trim()) return false;
      sending = again ?? { key: randomKey(), message };
      lastTry = sending;
      const { key } = sending;
      const node = turn(key);
      const said = document.createElement("div");
      said.className = "sb-said";
      const words = document.createElement("p");
      words.textContent = message;
      said.append(words);
      node.replaceChildren(said);
      log.append(node);
      reveal(node);
      root.classList.add("sb-busy");
      log.setAttribute("aria-busy", "true");
      raise(SEND, { key, message, consent: consent.checked });
      expect(FIRST_WORD_MS, () => unreachable(key));
      return true;
    }

    // A finger that opens the chat wants to see it, not a keyboard over half of it.
    function beginWriting() {
      if (!eager || !chrome) return;
      eager = false;
      if (matchMedia("(pointer: fine)").matches) input.focus({ preventScroll: true });
    }

    function open() {
      raise(OPEN, {});
      expect(FIRST_WORD_MS, () => unreachable(""));
    }

    function opened(update) {
      expect(0);
      chrome = update.chrome;
      document.documentElement.lang = update.language;
      document.title = chrome.title;
      root.style.setProperty("--accent", update.accent);
      root.querySelector(".sb-mark").textContent = [...chrome.title][0] ?? "";
      for (const node of root.querySelectorAll("[data-text]")) node.textContent = chrome[node.dataset.text];
      for (const node of root.querySelectorAll("[data-label]")) node.setAttribute("aria-label", chrome[node.dataset.label]);
      for (const node of root.querySelectorAll("[data-placeholder]")) node.placeholder = chrome[node.dataset.placeholder];
      input.maxLength = update.max_chars;
      consent.checked = update.consent;
      token.set(update.token);
      log.replaceChildren();
      let last = null;
      for (const { key, html } of update.turns) last = show(key, html);
      root.setAttribute("aria-busy", "false");
      root.classList.add("sb-open");
      if (last && log.children.length > 1) {
        const question = last.previousElementSibling?.querySelector(".sb-said") ? last.previousElementSibling : last;
        reveal(question);
      }
      say(update.spoken ?? "");
      heard = update.heard;
      status.hidden = true;
      attentive = false;
      look();
      watchEnd();
      beginWriting();
    }

    function grown(update) {
      if (update.token !== undefined) token.set(update.token);
      show(update.key, update.html);
      if (update.state === "stage" || update.state === "text") {
        expect(NEXT_WORD_MS, () => unreachable(update.key));
      } else {
        settle();
        if (update.spoken) say(update.spoken);
        if (update.watch) attend(true);
      }
      watchEnd();
    }

    watch("value", () => {
      const update = props.value;
      if (!update) return;
      if (update.kind === "opened") opened(update);
      else if (update.kind === "turn") grown(update);
    });

    watch("there", () => {
      const update = props.there;
      if (!update) return;
      let last = null;
      for (const { key, number, html } of update.said) {
        if (number <= heard) continue;
        heard = number;
        last = show(key, html);
      }
      if (last) {
        log.append(last);
        reveal(last);
        say(update.spoken);
        tellPage("news");
      }
      if (update.status !== null) {
        if (status.textContent !== update.status) status.textContent = update.status;
        status.hidden = !update.status;
      }
      attend(update.watch);
      watchEnd();
    });

    watch("rated", () => {
      const update = props.rated;
      if (!update) return;
      for (const thumbs of log.querySelectorAll(".sb-thumbs")) {
        if (Number(thumbs.dataset.turn) !== update.turn_id) continue;
        for (const button of thumbs.querySelectorAll("button")) {
          const own = (button.dataset.act === "up" ? 1 : -1) === update.score;
          button.setAttribute("aria-pressed", String(own && update.stored));
        }
      }
      say(update.spoken);
    });

    const act = {
      chip: button => { if (send(button.dataset.text)) input.focus({ preventScroll: true }); },
      person: () => send(chrome?.person_message ?? ""),
      up: button => raise(RATE, { turn_id: Number(button.parentElement.dataset.turn), score: 1 }),
      down: button => raise(RATE, { turn_id: Number(button.parentElement.dataset.turn), score: -1 }),
      retry: () => { if (lastTry) send(lastTry.message, lastTry); },
      reopen: () => open(),
      latest: () => log.scrollTo({ top: log.scrollHeight, behavior: "smooth" }),
      close: () => tellPage("close"),
      fresh: () => { if (!sending) { token.set(""); open(); input.focus(); } },
      wipe: button => {
        if (sending) return;
        if (!button.classList.contains("sb-sure")) {   // erasing cannot be undone: ask once more
          button.classList.add("sb-sure");
          button.textContent = chrome.erase_sure;
          return;
        }
        button.classList.remove("sb-sure");
        button.closest("details").open = false;
        raise(WIPE, {});
        input.focus();
      },
    };

    root.addEventListener("click", event => {
      const button = event.target.closest("[data-act]");
      if (button) act[button.dataset.act]?.(button);
    });
    form.addEventListener("submit", event => {
      event.preventDefault();
      if (send(input.value)) {
        input.value = "";
        input.style.height = "";
      }
    });
    input.addEventListener("keydown", event => {
      // While an input method composes (Chinese, Japanese), Enter chooses a word: keyCode 229.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      form.requestSubmit();
    });
    input.addEventListener("input", () => {
      input.style.height = "";
      input.style.height = Math.min(input.scrollHeight, 160) + "px";
    });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
    log.addEventListener("scroll", watchEnd, { passive: true });
    if (framed) {
      root.querySelector(".sb-close").hidden = false;
      document.addEventListener("keydown", event => {
        if (event.key === "Escape" && !event.isComposing) tellPage("close");
      });
      addEventListener("message", event => {
        if (event.source !== window.parent || event.data?.shopbot !== "shown") return;
        eager = true;
        beginWriting();
      });
      tellPage("ready");
    }

    open();
  },
};
