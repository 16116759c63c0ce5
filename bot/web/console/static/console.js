// The console's behaviour: it raises one Gradio event with an address and a form, and shows the page
// that comes back. HTML is made and escaped by the server; nothing that was typed is set as markup here.
"use strict";

window.shopbotConsole = {
  start(element, props, trigger, watch, [GO]) {
    const LOST_MS = 20000;                      // a call that is not answered by then is lost
    const RESTED_MS = 2 * 60 * 60 * 1000;       // … and who did nothing for so long is not kept signed in
    const KEYS_OFF = "shopbot.desk.keys-off";
    const EDITED = "input:not([type=checkbox], [type=radio], [type=submit], [type=button]), textarea, select";
    const root = element.querySelector("#desk");

    let seq = 0;                 // of the newest call
    let pending = null;          // {seq, form, kind} of the newest call that a person made
    let address = "";            // of the page that is shown
    let timer = 0, lost = 0, every = 0;
    let active = Date.now();
    let left = false;            // signed out meanwhile
    let drawn = new Map();       // living parts as they came, by their name

    const find = selector => root.querySelector(selector);
    const say = text => {
      const spoken = find("#dk-spoken");
      if (spoken && text) spoken.textContent = text;
    };

    // ---- what is typed survives a reload, in this tab alone --------------------------------------
    const place = () => address.split("?")[0];
    const drafted = node => `shopbot.desk.draft:${place()}:${node.dataset.draft}`;
    const kept = {
      get(name) { try { return sessionStorage.getItem(name); } catch { return null; } },
      set(name, value) {
        try { if (value) sessionStorage.setItem(name, value); else sessionStorage.removeItem(name); } catch { /* not kept */ }
      },
    };

    function restore() {
      for (const node of root.querySelectorAll("[data-draft]")) {
        const text = kept.get(drafted(node));
        if (text !== null && text !== node.value) {
          node.value = text;
          const around = node.closest("details");
          if (around) around.open = true;
        }
        grow(node);
      }
    }

    // What was typed while a form was under way is kept for the next one.
    function forget(form, sent) {
      for (const node of form.querySelectorAll("[data-draft]")) {
        const before = sent[node.name] ?? "";
        kept.set(drafted(node), node.value.startsWith(before) ? node.value.slice(before.length) : node.value);
      }
    }

    function grow(node) {
      if (node.tagName !== "TEXTAREA") return;
      node.style.height = "";
      node.style.height = Math.min(node.scrollHeight + 2, 420) + "px";
    }

    // ---- asking ----------------------------------------------------------------------------------
    function call(data, kind, form = null) {
      seq += 1;
      if (kind !== "again") {
        pending = { seq, kind, form, sent: data.form };
        root.setAttribute("aria-busy", "true");
        clearTimeout(lost);
        lost = setTimeout(unreachable, LOST_MS);
      }
      trigger(GO, { seq, ...data });
    }

    function visit(to) {
      call({ address: to }, "visit");
    }

    function unreachable() {
      pending = null;
      root.setAttribute("aria-busy", "false");
      tell("The shop cannot be reached just now. What you have written is still here.");
    }

    function tell(text) {
      const line = find(".dk-said");
      if (!line) {
        root.textContent = text;
        return;
      }
      line.textContent = text;
      line.hidden = false;
      line.classList.add("dk-alert");
      line.scrollIntoView({ block: "nearest" });
      say(text);
    }

    function later() {
      clearTimeout(timer);
      if (every) timer = setTimeout(again, every * 1000);
    }

    function again() {
      if (!left && !pending && !document.hidden && Date.now() - active < RESTED_MS) call({ address, again: true }, "again");
      later();
    }

    // A session that has ended is told by the status of any call.
    const plain = window.fetch;
    window.fetch = async (...given) => {
      const response = await plain(...given);
      if (response.status === 401 && !left) {
        left = true;
        clearTimeout(lost);
        pending = null;
        root.setAttribute("aria-busy", "false");
        tell("You are signed out. Sign in again: what you have written is kept. ");
        const link = document.createElement("a");
        link.href = "./" + location.hash;
        link.textContent = "Sign in";
        link.addEventListener("click", event => { event.preventDefault(); location.reload(); });
        find(".dk-said")?.append(link);
      }
      return response;
    };

    // ---- showing ---------------------------------------------------------------------------------
    function show(update) {
      const asked = pending && pending.seq === update.seq ? pending : null;
      if (update.again ? pending !== null || update.seq !== seq : asked === null) return;  // overtaken
      every = update.every;
      document.title = update.title;
      if (update.again) {
        patch(update.html);
        return;
      }
      clearTimeout(lost);
      pending = null;
      if (asked.form && update.done) forget(asked.form, asked.sent);
      const focused = document.activeElement?.id;
      const moved = update.address !== address;
      address = update.address;
      if (location.hash !== address) history.replaceState(null, "", address);
      const top = root.scrollTop;
      root.innerHTML = update.html;
      drawn = new Map([...root.querySelectorAll("[data-live]")].map(part => [part.dataset.live, part.outerHTML]));
      root.setAttribute("aria-busy", "false");
      for (const image of root.querySelectorAll("img")) {
        image.addEventListener("error", () => image.remove(), { once: true });
      }
      find("#dk-single").checked = !kept.get(KEYS_OFF);
      restore();
      for (const part of root.querySelectorAll("[data-end]")) part.scrollTop = part.scrollHeight;
      root.scrollTop = moved ? 0 : top;
      settle(asked, update, focused);
      say(update.said || (moved ? update.title : ""));
      later();
    }

    function settle(asked, update, focused) {
      const before = asked.kind === "act" && focused ? document.getElementById(focused) : null;
      const over = update.done && before?.matches(EDITED);   // nothing is left to write there
      const wanted = update.bad && find("[data-bad-focus]")
        || !over && before
        || find("[data-focus]")
        || find(".dk-main h1");
      wanted?.focus({ preventScroll: true });
      const shown = wanted?.getBoundingClientRect();
      if (shown && (shown.top < 0 || shown.bottom > innerHeight)) wanted.scrollIntoView({ block: "start" });
    }

    // Living parts are drawn anew where they have changed; the rest, and what is typed, stays.
    function patch(html) {
      const fresh = document.createElement("template");
      fresh.innerHTML = html;
      for (const part of fresh.content.querySelectorAll("[data-live]")) {
        const shown = find(`[data-live="${CSS.escape(part.dataset.live)}"]`);
        if (!shown || drawn.get(part.dataset.live) === part.outerHTML) continue;
        drawn.set(part.dataset.live, part.outerHTML);
        const news = part.dataset.news && part.dataset.news !== shown.dataset.news ? part.dataset.news : "";
        const held = shown.contains(document.activeElement) ? document.activeElement.id : "";
        const atEnd = shown.scrollHeight - shown.scrollTop - shown.clientHeight < 60;
        shown.replaceWith(part);
        if (held) document.getElementById(held)?.focus({ preventScroll: true });
        if (part.hasAttribute("data-end") && atEnd) part.scrollTop = part.scrollHeight;
        say(news);
      }
      later();
    }

    watch("value", () => { if (props.value) show(props.value); });

    // ---- what a person does ----------------------------------------------------------------------
    function submit(form, submitter) {
      const fields = Object.fromEntries(new FormData(form, submitter));
      if (form.dataset.to !== undefined) {
        const given = Object.entries(fields).filter(([, value]) => value !== "");
        const query = new URLSearchParams(given).toString();
        const to = `#/${form.dataset.to}${query ? "?" + query : ""}`;
        if (location.hash === to) visit(to); else location.hash = to;
        return;
      }
      if (pending) return;
      call({ address, form: { act: form.dataset.act, ...fields } }, "act", form);
    }

    root.addEventListener("submit", event => {
      const form = event.target;
      if (form.hasAttribute("data-plain") || form.method === "dialog") return;
      event.preventDefault();
      submit(form, event.submitter);
    });
    root.addEventListener("change", event => {
      const form = event.target.closest("form[data-to]");
      if (form && event.target.tagName === "SELECT") form.requestSubmit();
      if (event.target.id === "dk-single") kept.set(KEYS_OFF, event.target.checked ? "" : "off");
    });
    root.addEventListener("input", event => {
      const node = event.target;
      if (node.dataset.draft !== undefined) kept.set(drafted(node), node.value);
      grow(node);
    });
    root.addEventListener("click", event => {
      if (event.target.closest("[data-help]")) find("#dk-help").showModal();
      const link = event.target.closest("a[href^='#']");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      if (link.hasAttribute("data-skip")) find(".dk-main").focus();
      else if (link.getAttribute("href") === location.hash) visit(location.hash);
      else location.hash = link.getAttribute("href");
    });
    addEventListener("hashchange", () => { if (location.hash !== address) visit(location.hash); });

    const act = {
      j: () => step(1),
      k: () => step(-1),
      "?": () => find("#dk-help").showModal(),
    };

    function step(by) {
      const rows = [...root.querySelectorAll("[data-row]")];
      if (!rows.length) return;
      const at = rows.indexOf(document.activeElement?.closest("[data-row]"));
      const next = rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + by))];
      next.focus();
      next.scrollIntoView({ block: "nearest" });
    }

    addEventListener("keydown", event => {
      active = Date.now();
      if (event.isComposing || event.keyCode === 229) return;   // an input method is choosing a word
      const node = event.target.closest?.(EDITED);
      if (node) {
        if (event.key === "Escape") node.blur();
        const sends = event.ctrlKey || event.metaKey || node.dataset.enter !== undefined && !event.shiftKey;
        if (event.key === "Enter" && sends && node.form) {
          event.preventDefault();
          node.form.requestSubmit();
        }
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || kept.get(KEYS_OFF)) return;
      if (find("#dk-help")?.open) return;
      const wanted = find(`[data-key="${CSS.escape(event.key)}"]`);
      if (wanted) {
        event.preventDefault();
        const around = wanted.closest("details");
        if (around) around.open = true;
        if (wanted.matches(EDITED)) wanted.focus(); else wanted.click();
      } else if (act[event.key]) {
        event.preventDefault();
        act[event.key]();
      }
    });
    addEventListener("pointerdown", () => { active = Date.now(); }, { passive: true });
    document.addEventListener("visibilitychange", () => { if (!document.hidden && address) again(); });

    visit(location.hash);
  },
};
